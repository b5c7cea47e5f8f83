"""Rechecking: an invoice that is not final yet is counted and rated once more."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pgtrigger
import pytest

from invoicing.cycle import discard, hold, move, reconcile
from invoicing.cycle.models import Break, Invoice
from invoicing.pricing import subscribe
from invoicing.rating.models import RatedLine
from metering.models import AggregationSnapshot, UsageEvent
from tests.builders import billing
from tests.builders.billing import CLOSING, day
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    return billing.billed_customer(company)


def recheck(invoice: Invoice, actor: Any = None) -> list[tuple[str, str]]:
    row = reconcile.recheck_invoice(invoice_id=invoice.pk, actor=actor, at=LATER)
    return list(Break.objects.filter(tie_out=row).values_list("name", "detail"))


def test_sound_figures_stay_a_draft(company: billing.Company, draft: Invoice) -> None:
    assert recheck(draft, company.finance) == []
    draft.refresh_from_db()
    assert (draft.status, draft.tie_outs.count()) == ("draft", 2)


def test_a_lost_event_is_found_and_holds_the_invoice(company: billing.Company, draft: Invoice) -> None:
    with pgtrigger.ignore():
        UsageEvent.objects.filter(event_id="e2").delete()
    assert recheck(draft) == [
        (
            "raw_not_aggregated",
            "Tokens: the raw events count 1 and measure 1000, the snapshot says 2 and 1500.",
        )
    ]
    draft.refresh_from_db()
    placed = draft.holds.get()
    assert (draft.status, placed.cause, placed.placed_by) == ("held", "break", None)


def test_an_event_whose_value_was_changed_is_found(draft: Invoice) -> None:
    tamper("UPDATE metering_usageevent SET data = '{\"units\": 501}' WHERE event_id = 'e2'")
    assert [name for name, _ in recheck(draft)] == ["raw_not_aggregated"]


def test_a_rated_quantity_that_was_changed_is_found(draft: Invoice) -> None:
    tamper("UPDATE rating_ratedline SET quantity = 1499 WHERE snapshot_id IS NOT NULL")
    assert [name for name, _ in recheck(draft)] == ["aggregated_not_rated", "amount_not_reproduced"]


def test_an_amount_that_was_changed_is_found(draft: Invoice) -> None:
    tamper("UPDATE rating_ratedline SET amount = 48.99 WHERE snapshot_id IS NULL")
    assert recheck(draft) == [("amount_not_reproduced", "Base: rated 48.99, but its quantity and price give 49.")]


def test_events_below_the_watermark_count_and_later_ones_do_not(draft: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=LATER)
    assert recheck(draft) == []


def test_a_break_withdraws_an_approval(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    tamper("UPDATE rating_ratedline SET amount = 48.99 WHERE snapshot_id IS NULL")
    recheck(draft)
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by) == ("held", None)


def test_a_break_that_is_known_is_not_opened_twice(company: billing.Company, draft: Invoice) -> None:
    tamper("UPDATE rating_ratedline SET amount = 48.99 WHERE snapshot_id IS NULL")
    recheck(draft)
    row = reconcile.recheck_invoice(invoice_id=draft.pk, actor=None, at=LATER)
    assert not row.is_tied
    assert Break.objects.count() == 1


def test_a_break_on_a_held_invoice_joins_its_hold(company: billing.Company, draft: Invoice) -> None:
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=CLOSING)
    tamper("UPDATE rating_ratedline SET amount = 48.99 WHERE snapshot_id IS NULL")
    recheck(draft)
    assert draft.holds.count() == 1
    with pytest.raises(hold.IntegrityBreakError):
        hold.release_invoice(invoice_id=draft.pk, reason="looks right", actor=company.other_finance, at=LATER)


def test_usage_that_was_accepted_without_a_price_does_not_break_again(company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.close_october()
    invoice = Invoice.objects.get()
    hold.release_invoice(invoice_id=invoice.pk, reason="storage is free", actor=company.finance, at=LATER)
    reconcile.recheck_invoice(invoice_id=invoice.pk, actor=None, at=LATER)
    invoice.refresh_from_db()
    assert (invoice.status, Break.objects.count()) == ("draft", 1)


def test_stray_usage_stays_with_the_first_subscription_whatever_is_rechecked(company: billing.Company) -> None:
    storage = billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.make_meter("queries", event_type="queries", owner=company.finance)
    more = billing.make_plan("more", finance=company.finance, fee=None, meter=storage, unit_amount="1")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    billing.subscribe_to(company, customer, plan=more)
    billing.use("acme", ("q1", day(5), 3), event_type="queries")
    billing.close_october()
    first, second = Invoice.objects.order_by("cycle__subscription")
    assert (first.status, second.status) == ("held", "draft")
    assert recheck(second) == []
    assert recheck(first) == []  # its break is known


def test_a_price_that_came_after_a_draft_covers_nothing_of_what_that_draft_did_not_count(
    company: billing.Company,
) -> None:
    storage = billing.make_meter("storage", event_type="storage", owner=company.finance)
    more = billing.make_plan("more", finance=company.finance, fee="5", meter=None)
    customer = billing.make_customer("acme")
    of_tokens = billing.subscribe_to(company, customer)
    of_storage = billing.subscribe_to(company, customer, plan=more)
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.close_october()
    live = Invoice.objects.exclude(status="discarded")
    first, second = live.get(cycle__subscription=of_tokens), live.get(cycle__subscription=of_storage)
    assert (first.status, second.status) == ("held", "draft")
    billing.set_price(more, meter=storage, model="standard", params={"unit_amount": "1"}, finance=company.finance)

    billing.discard_draft(company, first, at=LATER)
    billing.close_october(at=LATER)
    again = live.get(cycle__subscription=of_tokens)
    assert again.status == "held"  # the other draft was made before the price, so nobody bills the storage
    assert [found.name for found in again.breaks.all()] == ["usage_without_price"]

    billing.discard_draft(company, second, at=LATER)
    billing.discard_draft(company, again, at=LATER)
    billing.close_october(at=LATER)
    assert live.get(cycle__subscription=of_tokens).status == "draft"
    billed = live.get(cycle__subscription=of_storage).lines.order_by("position")
    assert list(billed.values_list("amount", flat=True)) == [Decimal("5.00"), Decimal("3.00")]


def test_usage_without_a_price_that_comes_late_is_found_by_the_next_period(company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    october = billing.billed_customer(company)
    billing.issue(company, [october])
    billing.use("acme", ("s1", day(5), 3), event_type="storage", at=LATER)
    assert Invoice.objects.filter(status="held").count() == 0
    billing.close_november()
    november = Invoice.objects.get(period_start=billing.NOVEMBER)
    found = november.breaks.get()
    assert (found.name, found.facts["events"], found.facts["first_at"][:10]) == (
        "usage_without_price",
        "1",
        "2026-10-05",
    )
    assert november.status == "held"
    assert recheck(november) == []  # it is known
    hold.release_invoice(invoice_id=november.pk, reason="it is free", actor=company.other_finance, at=billing.DECEMBER)
    billing.issue(company, [november], at=billing.NEXT_CLOSING)
    january = billing.DECEMBER + timedelta(days=31)
    assert billing.close_november(as_of=january, at=january + timedelta(days=1)).held == 0  # once is enough


def test_what_a_subscription_was_billed_for_is_not_stray_when_it_is_ended_since_before(
    company: billing.Company,
) -> None:
    storage = billing.make_meter("storage", event_type="storage", owner=company.finance)
    more = billing.make_plan("more", finance=company.finance, fee=None, meter=storage, unit_amount="1")
    customer = billing.make_customer("acme")
    earlier = billing.OCTOBER - timedelta(days=30)
    of_tokens = billing.subscribe_to(company, customer, since=earlier)
    of_storage = billing.subscribe_to(company, customer, plan=more, since=earlier)
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.close_october()
    billed = Invoice.objects.get(cycle__subscription=of_storage, period_start=billing.OCTOBER)
    assert list(billed.lines.values_list("amount", flat=True)) == [Decimal("3.00")]
    subscribe.end_subscription(
        subscription=of_storage, ends_at=billing.OCTOBER - timedelta(days=5), actor=company.finance, at=LATER
    )
    assert recheck(Invoice.objects.get(cycle__subscription=of_tokens, period_start=billing.OCTOBER)) == []


def test_what_is_final_is_not_rechecked(company: billing.Company, draft: Invoice) -> None:
    billing.issue(company, [draft])
    with pytest.raises(move.WrongStateError, match="only undecided figures"):
        recheck(draft)


def test_a_fresh_draft_repairs_what_a_changed_event_broke(company: billing.Company, draft: Invoice) -> None:
    tamper("UPDATE rating_ratedline SET amount = 48.99 WHERE snapshot_id IS NULL")
    recheck(draft)
    discard.discard_invoice(invoice_id=draft.pk, reason="amount was changed", actor=company.finance, at=LATER)
    billing.close_october(at=LATER)
    again = Invoice.objects.get(status="draft")
    assert (again.total, RatedLine.objects.count()) == (Decimal("61.88"), 4)
    assert AggregationSnapshot.objects.filter(retired_at=None).count() == 1
