"""Properties that a contract marks as personal: sealed before they are written, counted around, gone with the key."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Customer
from compliance.evidence import trace
from compliance.evidence.pack import make
from core import audit, personal_keys
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import contracts, ingest, meters, quarantine
from metering.ingest import CaptureResult
from metering.models import QuarantinedEvent, UsageEvent
from metering.rules import drafting
from metering.rules.drafting import ContractDraft
from metering.rules.measures import MeterContent
from tests.builders import billing, dumps, packs, people, said_of_many
from tests.builders.billing import CLOSING, day

pytestmark = pytest.mark.django_db

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "units": {"type": "number"},
        "caller": {"type": "string", "maxLength": 20, "x-personal": True},
        "region": {"type": "string"},
    },
    "required": ["units"],
}
WORDS = ["+49 151 23456789", "+49 170 1111111"]


def draft(**changes: Any) -> ContractDraft:
    invalid = {"data": {"caller": "x"}, "code": "billing_field_missing", "pointer": "/data/units"}
    given = {"schema": SCHEMA, "billing_fields": ["units"], "valid_examples": [{"units": 1}], **changes}
    return ContractDraft(**{"invalid_examples": [invalid], **given})


@pytest.fixture
def company() -> billing.Company:
    """`usage` has a second version, which marks `caller`."""
    made = billing.open_company()
    contract, owner = made.meter.contract, made.meter.owner
    contracts.draft_version(contract=contract, draft=draft(), is_activated=True, actor=owner, at=billing.LONG_AGO)
    return made


@pytest.fixture
def acme(company: billing.Company) -> Customer:
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    return customer


def send(*events: tuple[str, datetime, dict[str, Any]], subject: str = "acme", at: datetime = CLOSING) -> CaptureResult:
    """Capture these events as one delivery, as HTTP would."""
    named = [
        {
            "specversion": "1.0",
            "id": name,
            "source": "calls",
            "type": "usage",
            "subject": subject,
            "time": time.isoformat().replace("+00:00", "Z"),
            "data": data,
        }
        for name, time, data in events
    ]
    return ingest.capture_events(named, channel="http", origin="test", at=at)


CALLS = (
    ("c1", day(3), {"units": 1000, "caller": WORDS[0], "region": "eu"}),
    ("c2", day(4), {"units": 500, "caller": WORDS[1]}),
    ("c3", day(5), {"units": 1}),
)


def test_they_are_sealed_before_they_are_written_and_read_as_they_were(acme: Customer) -> None:
    assert send(*CALLS).accepted == 3
    assert dumps.find_words(WORDS) == []
    first = UsageEvent.objects.get(event_id="c1")
    assert (first.data["units"], first.data["region"], first.data["caller"][:9]) == (1000, "eu", "sealed:1:")
    api = people.ApiClient(people.key_for(people.make_staff("audrey", "auditor")))
    assert api.get("events/calls/c1").json()["data"] == CALLS[0][2]
    assert UsageEvent.objects.get(event_id="c3").data == {"units": 1}


def test_a_retry_is_known_and_another_caller_under_the_same_id_is_a_conflict(acme: Customer) -> None:
    send(*CALLS)
    assert send(*CALLS).duplicates == 3
    changed = send(("c1", day(3), {**CALLS[0][2], "caller": WORDS[1]}))
    assert changed.items[0].reasons[0].code == "conflict"


def test_what_is_held_back_lies_under_the_key_of_whom_it_names(acme: Customer) -> None:
    assert send(("bad", day(3), {"caller": WORDS[0]})).quarantined == 1
    assert dumps.find_words(WORDS) == []
    [held] = QuarantinedEvent.objects.all()
    assert WORDS[0] in held.raw
    quarantine.discard_event(
        quarantine_id=held.pk, reason="no units", actor=people.make_staff("oscar", "ops"), at=CLOSING
    )
    assert dumps.find_words(WORDS) == []
    assert send(("bad2", day(3), {"caller": WORDS[0]}), subject="nobody").quarantined == 1
    assert dumps.find_words(WORDS) == [f"metering_quarantinedevent: {WORDS[0]}"], "whose it is, nobody knows yet"


def test_an_event_that_is_played_again_as_it_lies_here_is_the_same(acme: Customer) -> None:
    send(*CALLS)
    again = [(event.event_id, event.occurred_at, event.data) for event in UsageEvent.objects.order_by("seq")]
    assert send(*again).duplicates == 3
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING)
    assert send(*again).duplicates == 3


def test_why_a_sender_corrects_is_sealed_and_read_as_it_was(acme: Customer) -> None:
    send(CALLS[2])
    amended = {**said_of_many.event("c3b", subject="acme", units=2), "correction": "amend"}
    amended |= {"source": "calls", "corrects": "c3", "correctionreason": f"the caller was {WORDS[0]}"}
    assert ingest.capture_events([amended], channel="http", origin="test", at=CLOSING).accepted == 1
    assert ingest.capture_events([amended], channel="http", origin="test", at=CLOSING).duplicates == 1
    assert dumps.find_words(WORDS) == []
    api = people.ApiClient(people.key_for(people.make_staff("audrey", "auditor")))
    assert api.get("events/calls/c3b").json()["extras"]["correctionreason"] == amended["correctionreason"]
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING)
    again = {**amended, "id": "c3c", "corrects": "c3b"}
    [held] = ingest.capture_events([again], channel="http", origin="test", at=CLOSING).items
    assert held.reasons[0].code == "customer_not_kept"


def test_the_schema_judges_the_text_itself(acme: Customer) -> None:
    refused = send(("long", day(3), {"units": 1, "caller": "+49 151 23456789 and more"}))
    assert refused.items[0].reasons[0].code == "schema_maxLength"


def test_amounts_trace_and_pack_are_the_same_before_and_after(
    acme: Customer, company: billing.Company, tmp_path: Path
) -> None:
    send(*CALLS)
    billing.close_october()
    [invoice] = billing.issue(company, list(Invoice.objects.all()))
    before = make.make_pack(invoice=invoice, line=None, actor=None, at=CLOSING)
    old = packs.write_pack(before, tmp_path)
    assert not [name for name, content in packs.contents(old).items() if WORDS[0].encode() in content]
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING + timedelta(days=1))
    assert dumps.find_words(WORDS) == []
    for line in InvoiceLine.objects.all():
        found = trace.trace_line(line_id=line.pk)
        assert found.is_equal, found.first_difference
    assert audit.find_first_broken_entry() is None
    assert packs.verify_bare(old).code == 0
    after = make.make_pack(invoice=invoice, line=None, actor=None, at=CLOSING)
    assert packs.verify_bare(packs.write_pack(after, tmp_path)).code == 0
    event = UsageEvent.objects.get(event_id="c1")
    assert personal_keys.open_within(event.data)["caller"] == "erased on 3 Nov 2026"


def test_of_whoever_was_erased_nothing_personal_is_captured(acme: Customer) -> None:
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING)
    assert [item.reasons[0].code for item in send(*CALLS).items] == ["customer_not_kept", "customer_not_kept"]
    assert dumps.find_words(WORDS) == []
    assert UsageEvent.objects.get().event_id == "c3"


def test_no_meter_reads_what_is_sealed(company: billing.Company) -> None:
    usual: dict[str, Any] = {"definition": "By caller.", "aggregation": "sum", "value_property": "units"}
    with pytest.raises(meters.UnmeasurableError):
        meters.require_measurable(company.meter.contract, MeterContent(**usual, group_by=["caller"]))
    meters.require_measurable(company.meter.contract, MeterContent(**usual, group_by=["region"]))


@pytest.mark.parametrize(
    ("schema", "billing_fields", "code", "pointer"),
    [
        (
            {"properties": {"n": {"type": "number", "x-personal": True}}},
            [],
            "personal_not_text",
            "/schema/properties/n",
        ),
        (
            {"properties": {"n": {"type": "string", "x-personal": True}}},
            ["n"],
            "personal_is_billed",
            "/schema/properties/n",
        ),
        (
            {"properties": {"a": {"type": "object", "properties": {"n": {"type": "string", "x-personal": True}}}}},
            [],
            "personal_too_deep",
            "/schema/properties/a/properties/n",
        ),
    ],
)
def test_a_mark_that_could_not_be_kept_is_refused(
    schema: dict[str, Any], billing_fields: list[str], code: str, pointer: str
) -> None:
    found = drafting.find_unusable(draft(schema={"type": "object", **schema}, billing_fields=billing_fields))
    assert [(flaw.code, flaw.pointer) for flaw in found] == [(code, pointer)]
