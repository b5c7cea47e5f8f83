"""A break names its class, keeps both sides with the events that differ, and pauses its customer's cycle."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from invoicing.cycle import approve, finalize, hold, pause, reconcile
from invoicing.cycle.models import Break, BreakEvent, Invoice
from metering.models import UsageEvent
from tests.builders import billing
from tests.builders.billing import CLOSING, day
from tests.builders.people import ApiClient, key_for
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    """Counted up to the last of its events, e1 and e2."""
    return billing.billed_customer(company)


def found_by_recheck(invoice: Invoice) -> Break:
    row = reconcile.recheck_invoice(invoice_id=invoice.pk, actor=None, at=LATER)
    return Break.objects.filter(tie_out=row).earliest("pk")


def events_of(found: Break) -> list[tuple[str, str, bool, bool]]:
    """Each as (difference, id, whether it was acknowledged, whether it lies there)."""
    return [
        (event.difference, event.event_id, bool(event.kept_fingerprint), bool(event.raw_fingerprint))
        for event in found.events.all()
    ]


def put_row(*, event_id: str, seq: str, received_at: str) -> None:
    """A row behind capture's back, like e2 otherwise."""
    columns = "source, fingerprint, data, customer_id, contract_id, contract_version_id, batch_id, occurred_at"
    tamper(
        f"INSERT INTO metering_usageevent (seq, event_id, received_at, {columns})"  # noqa: S608  the test's own words
        f" SELECT {seq}, '{event_id}', {received_at}, {columns} FROM metering_usageevent WHERE event_id = 'e2'"
    )


def test_an_event_that_is_gone_is_missing(draft: Invoice) -> None:
    with pgtrigger.ignore():
        UsageEvent.objects.filter(event_id="e2").delete()
    found = found_by_recheck(draft)
    assert (found.kind, found.name) == ("missing", "raw_not_aggregated")
    assert events_of(found) == [("gone", "e2", True, False)]
    assert (found.events.get().channel, found.facts["raw_events"], found.facts["aggregated_events"]) == (
        "http",
        "1",
        "2",
    )


def test_an_identity_that_stands_there_twice_is_a_duplicate(draft: Invoice) -> None:
    put_row(event_id="e2", seq="-1", received_at="received_at")
    found = found_by_recheck(draft)
    assert found.kind == "duplicate"
    assert ("twice", "e2", True, True) in events_of(found)


def test_an_event_below_the_watermark_that_came_after_it_is_out_of_order(draft: Invoice) -> None:
    put_row(event_id="e3", seq="-1", received_at="received_at + interval '1 hour'")
    tamper(
        "INSERT INTO metering_eventkey (source, event_id, seq, occurred_at, batch_id, fingerprint)"
        " SELECT source, event_id, seq, occurred_at, batch_id, fingerprint FROM metering_usageevent"
        " WHERE event_id = 'e3'"
    )
    found = found_by_recheck(draft)
    assert found.kind == "out_of_order"
    assert events_of(found) == [("after_the_count", "e3", True, True)]


def test_a_row_that_was_never_acknowledged_is_a_backfill_behind_the_count(draft: Invoice) -> None:
    put_row(event_id="e3", seq="-1", received_at="received_at")
    found = found_by_recheck(draft)
    assert found.kind == "backfill"
    assert events_of(found) == [("not_acknowledged", "e3", False, True)]


def test_the_same_events_with_another_result_are_drift(draft: Invoice) -> None:
    tamper("UPDATE metering_usageevent SET data = '{\"units\": 501}' WHERE event_id = 'e2'")
    assert found_by_recheck(draft).kind == "re_rating_drift"


def test_a_rated_line_with_another_quantity_is_drift(draft: Invoice) -> None:
    tamper("UPDATE rating_ratedline SET quantity = 1400 WHERE snapshot_id IS NOT NULL")
    found = found_by_recheck(draft)
    assert (found.name, found.kind) == ("aggregated_not_rated", "re_rating_drift")


def unpriced(company: billing.Company) -> Invoice:
    """A draft with two events of a meter that its plan does not price."""
    billing.make_meter("calls", event_type="calls", owner=company.meter.owner)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("c1", day(4), 1), ("c2", day(5), 1), event_type="calls")
    billing.close_october()
    return Invoice.objects.get()


def test_usage_without_a_price_is_missing_a_price_and_names_its_events(company: billing.Company) -> None:
    found = unpriced(company).breaks.get()
    assert (found.name, found.kind) == ("usage_without_price", "missing")
    assert events_of(found) == [("without_price", "c1", False, True), ("without_price", "c2", False, True)]


def second_invoice(company: billing.Company, draft: Invoice) -> Invoice:
    """Another subscription of the same customer in the same month."""
    other = billing.make_plan("support", finance=company.finance, fee="10", meter=None)
    billing.subscribe_to(company, draft.customer, plan=other)
    billing.close_october()
    return Invoice.objects.exclude(pk=draft.pk).get()


def test_a_break_pauses_the_other_invoices_of_the_customers_cycle_and_nobody_elses(
    company: billing.Company, draft: Invoice
) -> None:
    beside = second_invoice(company, draft)
    billing.subscribe_to(company, billing.make_customer("globex"))
    billing.close_october()
    others = Invoice.objects.get(customer__code="globex")
    for invoice in (beside, others):
        billing.approve_by(company.finance, invoice)
    with pgtrigger.ignore():
        UsageEvent.objects.filter(event_id="e2").delete()
    found_by_recheck(draft)
    with pytest.raises(pause.CyclePausedError, match="has an open break: Tokens: the raw events count 1"):
        finalize.finalize_invoice(invoice_id=beside.pk, actor=None, at=LATER)
    assert finalize.finalize_invoice(invoice_id=others.pk, actor=None, at=LATER).status == "final"
    billing.discard_draft(company, draft, at=LATER)  # which closes its breaks
    assert finalize.finalize_invoice(invoice_id=beside.pk, actor=None, at=LATER).status == "final"


def test_postgresql_pauses_too(company: billing.Company, draft: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = second_invoice(company, draft)
    billing.approve_by(company.finance, beside)
    with pgtrigger.ignore():
        UsageEvent.objects.filter(event_id="e2").delete()
    found_by_recheck(draft)
    monkeypatch.setattr(pause, "require_unpaused", lambda _invoice: None)
    with pytest.raises(IntegrityError, match="is paused by an open break"), transaction.atomic():
        finalize.finalize_invoice(invoice_id=beside.pk, actor=None, at=LATER)


def test_a_break_that_was_accepted_pauses_nothing(company: billing.Company) -> None:
    draft = unpriced(company)
    hold.release_invoice(invoice_id=draft.pk, reason="these calls are free", actor=company.finance, at=LATER)
    draft.refresh_from_db()
    approve.approve_invoice(invoice_id=draft.pk, content_hash=draft.content_hash, actor=company.other_finance, at=LATER)
    assert finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=LATER).status == "final"


def test_the_page_and_the_api_show_both_sides_and_the_events(company: billing.Company) -> None:
    draft = unpriced(company)
    found = draft.breaks.get()
    client = Client()
    client.force_login(company.finance)
    text = " ".join(client.get(reverse("admin:cycle_break_change", args=[found.pk])).content.decode().split())
    for words in ("Missing on one side", "No price covers it", "c1", "c2", "/meter/acme", "repair and draft again"):
        assert words in text, words
    api = ApiClient(key_for(company.finance))
    [shown] = api.get(f"invoices/{draft.pk}").json()["breaks"]
    assert (shown["kind"], shown["name"]) == ("missing", "usage_without_price")
    page = api.get(f"invoices/{draft.pk}/breaks/{found.pk}/events?page_size=1").json()
    assert ([event["id"] for event in page["results"]], page["next"] is not None) == (["c2"], True)
    assert page["results"][0]["acknowledged"] is None
    assert api.get(f"invoices/0/breaks/{found.pk}/events").status_code == 404


def test_what_a_break_found_never_changes(company: billing.Company) -> None:
    unpriced(company)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        BreakEvent.objects.update(difference="gone")
