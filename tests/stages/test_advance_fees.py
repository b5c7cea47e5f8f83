"""Fees in advance: billed with the period before theirs, and given back where they were not used to the end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from core.periods import Period
from invoicing.cycle import close, discard, preview
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan, Subscription
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
FIRST_CLOSING = datetime(2026, 10, 2, 8, tzinfo=UTC)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def plan_in_advance(company: billing.Company, code: str, amount: str) -> Plan:
    plan = billing.make_plan(code, finance=company.finance, fee=None, meter=None)
    params = {"amount": amount, "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    return plan


def close_september() -> close.CloseReport:
    return close.close_cycles(as_of=OCTOBER, at=FIRST_CLOSING)


def start(company: billing.Company, amount: str = "31.00", *, since: datetime = SEPTEMBER) -> Subscription:
    plan = plan_in_advance(company, "basic", amount)
    return billing.subscribe_to(company, billing.make_customer("acme"), plan=plan, since=since)


def billed_and_issued(company: billing.Company, amount: str = "31.00") -> Subscription:
    """On a fee in advance since September, with the invoice that bills September and October issued."""
    subscription = start(company, amount)
    close_september()
    billing.issue(company, [Invoice.objects.get()], at=FIRST_CLOSING)
    return subscription


def lines_of(start: datetime) -> list[tuple[str, str, str, Decimal]]:
    lines = InvoiceLine.objects.filter(invoice__period_start=start).exclude(invoice__status="discarded")
    return [
        (line.description, f"{line.segment_start:%d %b}", f"{line.segment_end:%d %b}", line.amount)
        for line in lines.order_by("position")
    ]


def offenders() -> list[str]:
    return [found for one in check_invariants.all_invariants() for found in one.find_offenders()]


def test_the_first_invoice_bills_its_own_period_and_the_next(company: billing.Company) -> None:
    start(company, since=OCTOBER)
    billing.close_october()
    assert lines_of(OCTOBER) == [("Base", "01 Oct", "01 Nov", Decimal(31)), ("Base", "01 Nov", "01 Dec", Decimal(31))]


def test_every_later_invoice_bills_the_period_after_its_own(company: billing.Company) -> None:
    start(company, since=OCTOBER)
    billing.close_october()
    billing.close_november()
    assert lines_of(NOVEMBER) == [("Base", "01 Dec", "01 Jan", Decimal(31))]
    assert offenders() == []


def test_periods_that_are_closed_together_bill_each_fee_once(company: billing.Company) -> None:
    start(company, since=SEPTEMBER)
    close.close_cycles(as_of=DECEMBER, at=NEXT_CLOSING)
    assert [len(lines_of(each)) for each in (SEPTEMBER, OCTOBER, NOVEMBER)] == [2, 1, 1]
    assert lines_of(OCTOBER) == [("Base", "01 Nov", "01 Dec", Decimal(31))]


def test_a_fee_in_arrears_beside_it_stays_where_it_is(company: billing.Company) -> None:
    subscription = start(company, since=OCTOBER)
    plan = subscription.phases.get().plan
    billing.set_price(plan, charge="support", model="flat", params={"amount": "5"}, finance=company.finance)
    billing.close_october()
    billing.close_november()
    assert lines_of(NOVEMBER) == [
        ("Support", "01 Nov", "01 Dec", Decimal(5)),
        ("Base", "01 Dec", "01 Jan", Decimal(31)),
    ]


def test_a_fee_ends_with_the_subscription(company: billing.Company) -> None:
    subscription = start(company, since=OCTOBER)
    end = datetime(2026, 11, 16, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=end, actor=company.finance, at=OCTOBER)
    billing.close_october()
    assert lines_of(OCTOBER)[1] == ("Base", "01 Nov", "16 Nov", Decimal("15.50"))
    assert billing.close_november().drafted == 0  # everything was billed before it began


# Flexprice internal/domain/proration/calculator_test.go and internal/ee/service/proration_test.go: 15 March of 31 days.
@pytest.mark.parametrize(
    ("old", "new", "credit", "charge", "net"),
    [
        ("10", "20", "-5.48", "10.97", "5.49"),
        ("100", "30", "-54.84", "16.45", "-38.39"),
        ("1000", "500", "-548.39", "274.19", "-274.20"),
    ],
)
def test_a_change_of_plan_gives_the_unused_time_back_and_charges_the_new_plan(
    company: billing.Company, old: str, new: str, credit: str, charge: str, net: str
) -> None:
    subscription = billed_and_issued(company, old)
    pro = plan_in_advance(company, "pro", new)
    subscribe.change_plan(
        subscription=subscription, plan=pro, effective_at=MID_OCTOBER, actor=company.finance, at=FIRST_CLOSING
    )
    billing.close_october()
    assert lines_of(OCTOBER) == [
        ("Base", "15 Oct", "01 Nov", Decimal(charge)),
        ("Base", "01 Nov", "01 Dec", Decimal(new)),
        ("Unused time of 2026-10-01 to 2026-10-31: Base", "01 Oct", "01 Nov", Decimal(credit)),
    ]
    assert Decimal(credit) + Decimal(charge) == Decimal(net)
    returned = InvoiceLine.objects.get(adjusts__isnull=False)
    assert returned.adjusts is not None
    assert (returned.adjusts.invoice.number, returned.adjusts.position) == ("INV-000001", 2)
    assert returned.invoice.tie_outs.get().is_tied
    assert offenders() == []
    assert trace.trace_line(line_id=returned.pk).is_equal


# Lago spec/scenarios: started and terminated on one day: one day billed, the rest credited.
def test_a_subscription_that_ends_early_gets_the_rest_back(company: billing.Company) -> None:
    subscription = billed_and_issued(company)
    end = datetime(2026, 10, 2, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=end, actor=company.finance, at=OCTOBER)
    report = close.close_cycles(as_of=end, at=end)
    assert (report.drafted, report.adjusted) == (1, 1)
    assert lines_of(OCTOBER) == [
        ("Unused time of 2026-10-01 to 2026-10-31: Base", "01 Oct", "01 Nov", Decimal(-30)),
    ]


def test_the_last_day_is_charged_in_full(company: billing.Company) -> None:
    subscription = billed_and_issued(company)
    end = datetime(2026, 10, 10, 15, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=end, actor=company.finance, at=OCTOBER)
    close.close_cycles(as_of=end, at=end + timedelta(days=1))
    assert [line[3] for line in lines_of(OCTOBER)] == [Decimal(-21)]


def test_what_was_not_issued_is_given_back_once_it_is(company: billing.Company) -> None:
    subscription = start(company)
    close_september()
    pro = plan_in_advance(company, "pro", "62.00")
    subscribe.change_plan(
        subscription=subscription, plan=pro, effective_at=MID_OCTOBER, actor=company.finance, at=FIRST_CLOSING
    )
    billing.close_october()
    assert [line[3] for line in lines_of(OCTOBER)] == [Decimal(34), Decimal(62)]
    billing.issue(company, list(Invoice.objects.order_by("period_start")))
    billing.close_november()
    assert lines_of(NOVEMBER)[-1] == (
        "Unused time of 2026-10-01 to 2026-10-31: Base",
        "01 Oct",
        "01 Nov",
        Decimal(-17),
    )
    billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=NEXT_CLOSING)
    close.close_cycles(as_of=JANUARY, at=NEXT_CLOSING + timedelta(days=31))
    assert [line[3] for line in lines_of(DECEMBER)] == [Decimal(62)]
    assert offenders() == []


def test_a_credit_never_goes_beyond_what_was_paid_however_often_the_end_moves(company: billing.Company) -> None:
    """Every re-rating is of the whole fee: what is given back is what was paid less what is used, never more."""
    subscription = billed_and_issued(company)
    end = datetime(2026, 10, 16, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=end, actor=company.finance, at=OCTOBER)
    close.close_cycles(as_of=end, at=end)
    billing.issue(company, [Invoice.objects.get(period_start=OCTOBER)], at=end)
    close.close_cycles(as_of=NOVEMBER, at=CLOSING)
    assert [line[3] for line in lines_of(OCTOBER)] == [Decimal(-16)]


def test_a_discarded_draft_bills_its_fee_again_and_nobody_else_does(company: billing.Company) -> None:
    start(company, since=OCTOBER)
    billing.close_october()
    billing.close_november()
    first = Invoice.objects.get(period_start=OCTOBER)
    discard.discard_invoice(invoice_id=first.pk, reason="wrong address", actor=company.finance, at=NEXT_CLOSING)
    billing.close_november(at=NEXT_CLOSING + timedelta(hours=1))
    assert [line[1:] for line in lines_of(OCTOBER)] == [
        ("01 Oct", "01 Nov", Decimal(31)),
        ("01 Nov", "01 Dec", Decimal(31)),
    ]
    assert [line[1] for line in lines_of(NOVEMBER)] == ["01 Dec"]
    assert offenders() == []


def test_a_new_price_from_the_middle_of_a_period_takes_the_place_of_the_old_one(company: billing.Company) -> None:
    subscription = billed_and_issued(company)
    billing.set_price(
        subscription.phases.get().plan,
        charge="base",
        model="flat",
        params={"amount": "62.00", "billed": "in_advance"},
        finance=company.finance,
        effective_at=MID_OCTOBER,
    )
    billing.close_october()
    assert [line[1:] for line in lines_of(OCTOBER)] == [
        ("15 Oct", "01 Nov", Decimal(34)),
        ("01 Nov", "01 Dec", Decimal(62)),
        ("01 Oct", "01 Nov", Decimal(-17)),
    ]


def test_a_preview_shows_the_fee_of_the_next_period(company: billing.Company) -> None:
    start(company, since=OCTOBER)
    customer = billing.Customer.objects.get(code="acme")
    shown = preview.preview_invoice(customer=customer, period=Period(OCTOBER, NOVEMBER), at=day(20))
    assert [(line.description, line.segment_start, line.amount) for line in shown.lines] == [
        ("Base", OCTOBER, Decimal(31)),
        ("Base", NOVEMBER, Decimal(31)),
    ]
