"""Repair and draft again: only what changed is counted anew, and the draft before stays on record."""

from datetime import timedelta
from decimal import Decimal

import pgtrigger
import pytest

from accounts.models import Customer
from core.errors import NotAllowedError
from invoicing.cycle import approve, move, reconcile, repair
from invoicing.cycle.models import DeltaReport, Invoice
from metering.models import UsageEvent
from tests.builders import billing
from tests.builders.billing import CLOSING, day
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=2)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    """49.00, 1,500 tokens at 0.002 and 10 calls at 0.10: 49.00 + 3.00 + 1.00."""
    calls = billing.make_meter("calls", event_type="calls", owner=company.meter.owner)
    billing.set_price(
        company.plan, meter=calls, model="standard", params={"unit_amount": "0.10"}, finance=company.finance
    )
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("c1", day(4), 10), event_type="calls")
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    return Invoice.objects.get()


def again(invoice: Invoice, company: billing.Company) -> Invoice:
    return repair.repair_invoice(
        invoice_id=invoice.pk, reason="the proxy had lost events", actor=company.finance, at=LATER
    )


def figures(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.description, line.quantity, line.amount) for line in invoice.lines.order_by("position")]


def test_only_the_window_that_changed_is_counted_again(company: billing.Company, draft: Invoice) -> None:
    billing.use("acme", ("e3", day(21), 250), at=CLOSING + timedelta(hours=1))
    fresh = again(draft, company)
    assert figures(fresh) == [
        ("Base", Decimal(1), Decimal(49)),
        ("Tokens", Decimal(1750), Decimal("3.50")),
        ("Calls", Decimal(10), Decimal(1)),
    ]
    draft.refresh_from_db()
    assert (draft.status, fresh.status, fresh.cycle_id) == ("discarded", "draft", draft.cycle_id)
    assert figures(draft)[1] == ("Tokens", Decimal(1500), Decimal(3))
    tokens, calls = (fresh.lines.get(meter_code=code).rated_line.snapshot for code in ("tokens", "calls"))
    assert tokens is not None
    assert calls is not None
    assert (tokens.watermark, calls.watermark) == (fresh.watermark, draft.watermark)
    carried = draft.lines.get(meter_code="calls").rated_line.snapshot
    assert carried is not None
    assert (calls.digest, calls.quantity, carried.retired_at) == (carried.digest, 10, LATER)


def test_a_delta_report_says_what_changed_line_by_line(company: billing.Company, draft: Invoice) -> None:
    billing.use("acme", ("e3", day(21), 250), at=CLOSING + timedelta(hours=1))
    fresh = again(draft, company)
    report = DeltaReport.objects.get()
    assert (report.kind, report.invoice, report.replaces, report.author) == ("redraft", fresh, draft, company.finance)
    assert report.reason == "the proxy had lost events"
    row = report.rows.get()
    assert (row.description, row.before_events, row.after_events) == ("Tokens", 2, 3)
    assert (row.before_quantity, row.after_quantity) == (1500, 1750)
    assert (row.before_amount, row.after_amount) == (Decimal(3), Decimal("3.50"))


def test_a_break_is_repaired_by_what_was_missing(company: billing.Company, draft: Invoice) -> None:
    with pgtrigger.ignore():
        UsageEvent.objects.filter(event_id="e2").delete()
    reconcile.recheck_invoice(invoice_id=draft.pk, actor=None, at=CLOSING + timedelta(minutes=5))
    billing.use("acme", ("e2-again", day(20), 500), at=CLOSING + timedelta(hours=1))
    fresh = again(draft, company)
    assert (fresh.status, figures(fresh)[1][1:]) == ("draft", (Decimal(1500), Decimal(3)))
    found = draft.breaks.get()
    assert (found.closed_by, found.closing_reason) == (company.finance, "Discarded: the proxy had lost events")


def test_a_break_that_was_not_repaired_is_found_again(company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.meter.owner)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", day(4), 1), event_type="storage")
    billing.close_october()
    fresh = again(Invoice.objects.get(), company)
    assert (fresh.status, fresh.breaks.get().name) == ("held", "usage_without_price")


def test_a_draft_in_which_nothing_changed_is_left_alone(company: billing.Company, draft: Invoice) -> None:
    with pytest.raises(repair.NothingToRepairError, match="Repair the events at their source first"):
        again(draft, company)
    draft.refresh_from_db()
    assert (draft.status, Invoice.objects.count()) == ("draft", 1)


def test_what_cannot_be_drafted_again_keeps_the_draft(company: billing.Company, draft: Invoice) -> None:
    billing.use("acme", ("e3", day(21), 250), at=CLOSING + timedelta(hours=1))
    Customer.objects.update(tax_rate_code="fr-vat")
    with pytest.raises(repair.RepairFailedError, match="No tax rate fr-vat is in force"):
        again(draft, company)
    draft.refresh_from_db()
    assert (draft.status, Invoice.objects.count()) == ("draft", 1)


def test_who_repaired_it_does_not_approve_it(company: billing.Company, draft: Invoice) -> None:
    billing.use("acme", ("e3", day(21), 250), at=CLOSING + timedelta(hours=1))
    fresh = again(draft, company)
    with pytest.raises(move.SamePersonError):
        approve.approve_invoice(invoice_id=fresh.pk, content_hash=fresh.content_hash, actor=company.finance, at=LATER)
    assert billing.approve_by(company.other_finance, fresh, at=LATER).status == "approved"


def test_only_finance_repairs_and_nothing_that_was_issued(company: billing.Company, draft: Invoice) -> None:
    with pytest.raises(NotAllowedError):
        repair.repair_invoice(invoice_id=draft.pk, reason="as they say", actor=billing.person("olga", "ops"), at=LATER)
    billing.issue(company, [draft])
    with pytest.raises(move.WrongStateError, match="a final invoice never changes"):
        again(draft, company)


def test_the_api_answers_with_the_fresh_draft(company: billing.Company, draft: Invoice) -> None:
    billing.use("acme", ("e3", day(21), 250), at=CLOSING + timedelta(hours=1))
    finance = ApiClient(key_for(company.finance))
    answer = finance.post(f"invoices/{draft.pk}/repair", {"reason": "the proxy had lost events"})
    assert answer.status_code == 200
    assert (answer.json()["id"] != draft.pk, answer.json()["subtotal"]) == (True, "53.50")
    refused = finance.post(f"invoices/{answer.json()['id']}/repair", {"reason": "once more for luck"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_repair")
