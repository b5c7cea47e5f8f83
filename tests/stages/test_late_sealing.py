"""A version marks what earlier events hold in clear: they are sealed, and nothing billed or proved changes by it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Customer
from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from compliance.evidence.pack import make
from core import activation, audit, personal_keys
from core.models import AuditEntry
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import contracts, ingest, late_sealing
from metering.ingest import CaptureResult
from metering.models import (
    AggregationSnapshot,
    EventArchive,
    EventContractVersion,
    EventSealing,
    LaterSealing,
    StoreSwitch,
    UsageEvent,
)
from tests.builders import billing, dumps, guards, packs, said_of_many
from tests.builders.billing import CLOSING, OCTOBER
from tests.builders.tampering import tamper
from tests.stages.test_personal_events import SCHEMA, draft

pytestmark = pytest.mark.django_db
WORDS = ["+49 151 23456789", "+49 170 1111111", "4915199"]
CLEAR = {**SCHEMA, "properties": {**SCHEMA["properties"], "caller": {}}}


@pytest.fixture
def company() -> billing.Company:
    """`usage` has a second version, in which `caller` is any value."""
    made = billing.open_company()
    put_in_force(made, schema=CLEAR)
    return made


@pytest.fixture
def acme(company: billing.Company) -> Customer:
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    send(
        event("c1", units=1000, caller=WORDS[0], region="eu"),
        event("c2", units=500, caller=WORDS[1]),
        event("c3", units=1, caller=4915199),
        event("c4", units=0),
    )
    return customer


def put_in_force(company: billing.Company, **changes: Any) -> EventContractVersion:
    contract, owner = company.meter.contract, company.meter.owner
    return contracts.draft_version(
        contract=contract, draft=draft(**changes), is_activated=True, actor=owner, at=billing.LONG_AGO
    )


def event(name: str, **data: Any) -> dict[str, Any]:
    return said_of_many.event(name, subject="acme", **data)


def send(*events: dict[str, Any]) -> CaptureResult:
    return ingest.capture_events(events, channel="http", origin="test", at=CLOSING)


def set_price(company: billing.Company, *, days: int, params: Any) -> None:
    """The next version of the price of tokens, from so many days later on."""
    at = billing.LONG_AGO + timedelta(days=days)
    given = {"meter": company.meter, "model": "standard", "params": params, "effective_at": at}
    billing.set_price(company.plan, finance=company.finance, **given)


def seal(company: billing.Company) -> LaterSealing:
    run = put_in_force(company).later_sealing
    late_sealing.go_on(sealing_id=run.pk, at=CLOSING)
    run.refresh_from_db()
    return run


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_earlier_events_are_sealed_and_read_as_they_were(acme: Customer, company: billing.Company) -> None:
    assert {one.rpartition(": ")[2] for one in dumps.find_words(WORDS)} == set(WORDS)
    run = seal(company)
    assert (run.names, run.sealed, run.finished_at) == (["caller"], 3, CLOSING)
    assert dumps.find_words(WORDS) == []
    told = {one.event_id: personal_keys.open_within(one.data) for one in UsageEvent.objects.all()}
    assert told["c1"] == {"units": 1000, "caller": WORDS[0], "region": "eu"}
    assert (told["c3"]["caller"], told["c4"]) == ("4915199", {"units": 0})
    assert offences() == {}


def test_nothing_that_was_billed_traced_or_packed_changes(
    acme: Customer, company: billing.Company, tmp_path: Path
) -> None:
    billing.close_october()
    [invoice] = billing.issue(company, list(Invoice.objects.all()))
    figures = list(AggregationSnapshot.objects.order_by("pk").values_list("quantity", "digest"))
    old = packs.write_pack(make.make_pack(invoice=invoice, line=None, actor=None, at=CLOSING), tmp_path)
    seal(company)
    assert list(AggregationSnapshot.objects.order_by("pk").values_list("quantity", "digest")) == figures
    for line in InvoiceLine.objects.all():
        assert trace.trace_line(line_id=line.pk).is_equal
    assert offences() == {}
    assert packs.verify_bare(old).code == 0
    (tmp_path / "after").mkdir()
    made = make.make_pack(invoice=invoice, line=None, actor=None, at=CLOSING.replace(hour=23))
    after = packs.verify_bare(packs.write_pack(made, tmp_path / "after"))
    assert after.code == 0, after.text
    assert "events of which something was sealed after capture: 3, as the audit chain has them" in after.text


def test_a_retry_of_what_came_before_is_a_duplicate_and_anything_else_a_conflict(
    acme: Customer, company: billing.Company
) -> None:
    seal(company)
    assert send(event("c1", units=1000, caller=WORDS[0], region="eu")).duplicates == 1
    assert send(event("c1", units=1000, caller=WORDS[1], region="eu")).quarantined == 1


def test_whoever_is_erased_later_is_erased_from_them_too(acme: Customer, company: billing.Company) -> None:
    seal(company)
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING)
    [first] = UsageEvent.objects.filter(event_id="c1")
    assert personal_keys.open_within(first.data)["caller"].startswith("erased on ")
    assert offences().keys() <= {"every destroyed key is named by a proof, and that one by the audit chain"}


def test_of_whoever_was_erased_before_nothing_is_kept(acme: Customer, company: billing.Company) -> None:
    assert acme.personal_key_id is not None
    personal_keys.destroy_keys([acme.personal_key_id], at=CLOSING)
    assert seal(company).sealed == 3
    assert dumps.find_words(WORDS) == []
    assert personal_keys.open_within(UsageEvent.objects.get(event_id="c2").data)["caller"].startswith("erased on ")


def test_a_killed_job_goes_on_where_it_was(
    acme: Customer, company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_sealing, "EVENTS_AT_ONCE", 1)
    monkeypatch.setattr(late_sealing, "STEPS_MAX", 1)
    run = put_in_force(company).later_sealing
    for sealed in (1, 2, 3, 3, 3):
        late_sealing.go_on(sealing_id=run.pk, at=CLOSING)
        run.refresh_from_db()
        assert run.sealed == sealed
    assert (run.finished_at, EventSealing.objects.count()) == (CLOSING, 3)
    assert AuditEntry.objects.filter(action="events.sealed_later").count() == 3
    assert audit.find_first_broken_entry() is None


def test_what_came_in_clear_while_the_version_was_put_in_force_is_found_and_sealed(
    acme: Customer, company: billing.Company
) -> None:
    seal(company)
    tamper("UPDATE metering_usageevent SET data = data || '{\"caller\": \"4915199\"}' WHERE event_id = 'c4'")
    in_clear = "no event holds a property in clear that was sealed when its contract marked it as personal"
    assert in_clear in offences()
    assert late_sealing.look_again(at=CLOSING + timedelta(hours=4)) == []
    assert late_sealing.look_again(at=CLOSING) == list(LaterSealing.objects.all())
    late_sealing.go_on(sealing_id=LaterSealing.objects.get().pk, at=CLOSING)
    assert in_clear not in offences()
    assert dumps.find_words(WORDS) == []
    assert late_sealing.look_again(at=CLOSING) == []


def test_an_event_that_somebody_changes_after_that_is_still_found(acme: Customer, company: billing.Company) -> None:
    seal(company)
    tamper("UPDATE metering_usageevent SET data = data || '{\"units\": 7}' WHERE event_id = 'c1'")
    assert "no accepted event was changed" in offences()
    changed = UsageEvent.objects.get(event_id="c1")
    tamper(f"UPDATE metering_eventsealing SET fingerprint = sha256('x') WHERE seq = {changed.seq}")  # noqa: S608
    assert "what was sealed of events after they were captured is what the audit chain says" in offences()


def test_what_a_meter_ever_read_cannot_be_marked(acme: Customer, company: billing.Company) -> None:
    marked = {**SCHEMA, "properties": {**SCHEMA["properties"], "units": {"type": "string", "x-personal": True}}}
    with pytest.raises(contracts.NotProvedError) as refused:
        put_in_force(company, schema=marked, billing_fields=[], valid_examples=[{"units": "1"}])
    assert "meter_reads_personal" in {flaw.code for flaw in refused.value.flaws}


def test_what_a_price_looks_at_cannot_be_marked_nor_priced_once_it_is(acme: Customer, company: billing.Company) -> None:
    by_region = {"unit_amount": "0.1", "filters": [{"region": "eu", "unit_amount": "0.08"}]}
    set_price(company, days=1, params=by_region)
    marked = {**SCHEMA, "properties": {**SCHEMA["properties"], "region": {"type": "string", "x-personal": True}}}
    with pytest.raises(activation.NotYetError, match="looks at region, which is personal and sealed"):
        put_in_force(company, schema=marked)
    seal(company)
    by_caller = {"unit_amount": "0.1", "filters": [{"caller": "eu", "unit_amount": "0.08"}]}
    with pytest.raises(activation.NotYetError, match="looks at caller, which is personal and sealed"):
        set_price(company, days=2, params=by_caller)


def test_rows_that_lie_elsewhere_are_brought_back_first(acme: Customer, company: billing.Company) -> None:
    hashes = {"file_sha256": "0" * 64, "digest": "0" * 64}
    away = EventArchive.objects.create(
        month=OCTOBER.date(), file_name="x", event_count=1, first_seq=1, last_seq=1, detached_at=CLOSING, **hashes
    )
    with pytest.raises(contracts.NotProvedError) as refused:
        put_in_force(company)
    [flaw] = refused.value.flaws
    assert flaw.code == "personal_put_away"
    assert "Events of 2026-10 are put away" in flaw.detail
    EventArchive.objects.filter(pk=away.pk).update(attached_at=CLOSING)
    assert seal(company).sealed == 3


def test_another_store_is_left_first(acme: Customer, company: billing.Company) -> None:
    given = {"up_to_seq": 4, "event_count": 4, "digest": "0" * 64, "switched_at": CLOSING}
    StoreSwitch.objects.create(store="clickhouse", **given)
    with pytest.raises(contracts.NotProvedError) as refused:
        put_in_force(company)
    [flaw] = refused.value.flaws
    assert (flaw.code, flaw.detail[:25]) == ("personal_elsewhere", "Events lie in ClickHouse,")
    StoreSwitch.objects.create(store="postgres", **given)
    assert seal(company).sealed == 3


def test_the_rows_are_kept(acme: Customer, company: billing.Company) -> None:
    seal(company)
    assert guards.keeps_its_rows(EventSealing)
    assert guards.keeps_its_rows(LaterSealing)
