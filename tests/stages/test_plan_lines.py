"""What a plan charges for its other lines: discounts, the least and the most they come to, credits that pay them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from core.periods import Period
from invoicing.cycle import discard, preview, reconcile
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db
MUCH_LATER = NEXT_CLOSING + timedelta(days=31)


@pytest.fixture
def company() -> billing.Company:
    """Its plan: 49.00 a month and 0.002 per token."""
    return billing.open_company()


def charge(company: billing.Company, code: str, model: str, *, plan: Plan | None = None, **params: Any) -> None:
    billing.set_price(plan or company.plan, charge=code, model=model, params=params, finance=company.finance)


def amounts(start: datetime = OCTOBER) -> dict[str, Decimal]:
    lines = InvoiceLine.objects.filter(invoice__period_start=start).exclude(invoice__status="discarded")
    return {line.description: line.amount for line in lines.order_by("position")}


def offenders() -> list[str]:
    return [found for one in check_invariants.all_invariants() for found in one.find_offenders()]


def test_a_minimum_is_trued_up_by_a_line_that_names_the_lines_it_stands_on(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="100")
    invoice = billing.billed_customer(company)
    assert amounts() == {"Base": 49, "Tokens": 3, "Commitment": 48}
    line = invoice.lines.get(description="Commitment")
    assert [row.ground.charge.code for row in line.rated_line.grounds.order_by("position")] == ["base", "tokens"]
    assert (line.quantity, line.rated_line.snapshot, invoice.subtotal) == (1, None, Decimal(100))
    assert invoice.tie_outs.get().is_tied
    assert offenders() == []


def test_what_goes_beyond_a_maximum_is_taken_off(company: billing.Company) -> None:
    charge(company, "cap", "commitment", maximum_amount="40")
    billing.billed_customer(company)
    assert amounts() == {"Base": 49, "Tokens": 3, "Cap": -12}


def test_within_the_limits_there_is_a_line_of_nothing_that_says_so(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="10")
    invoice = billing.billed_customer(company)
    line = invoice.lines.get(description="Commitment")
    assert line.amount == 0
    assert line.rated_line.computation[0]["label"].startswith("Within the limits")


def test_discounts_come_first_then_limits_then_credits(company: billing.Company) -> None:
    charge(company, "credits", "prepaid_credits", opening_balance="30", credit_rate="1")
    charge(company, "minimum", "commitment", minimum_amount="100")
    charge(company, "discount", "plan_discount", discount_percent="10")
    billing.billed_customer(company)
    # 52.00 less 10 % = 46.80, up to 100.00, of which credits pay 30.00
    assert list(amounts().items()) == [
        ("Base", 49),
        ("Tokens", 3),
        ("Discount", Decimal("-5.20")),
        ("Minimum", Decimal("53.20")),
        ("Credits", -30),
    ]
    assert offenders() == []


def test_credits_never_pay_more_than_there_is_to_pay(company: billing.Company) -> None:
    charge(company, "credits", "prepaid_credits", opening_balance="500", credit_rate="1", credits_apply_to=["tokens"])
    billing.billed_customer(company)
    assert amounts()["Credits"] == -3


def test_a_change_of_plan_prorates_each_plans_minimum_and_counts_its_own_lines(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="310")
    pro = billing.make_plan("pro", finance=company.finance, fee="62", meter=company.meter, unit_amount="0.01")
    charge(company, "pledge", "commitment", plan=pro, minimum_amount="620")
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    subscribe.change_plan(
        subscription=subscription,
        plan=pro,
        effective_at=datetime(2026, 10, 11, tzinfo=UTC),
        actor=company.finance,
        at=OCTOBER,
    )
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    lines = InvoiceLine.objects.order_by("position").values_list("description", "amount")
    # 10 days: 310 × 10/31 = 100; 49 × 10/31 = 15.81 and 1000 × 0.002 = 2.00 were used of it.
    # 21 days: 620 × 21/31 = 420; 62 × 21/31 = 42.00 and 500 × 0.01 = 5.00 were used of it.
    assert list(lines) == [
        ("Base", Decimal("15.81")),
        ("Tokens", Decimal("2.00")),
        ("Base", Decimal("42.00")),
        ("Tokens", Decimal("5.00")),
        ("Commitment", Decimal("82.19")),
        ("Pledge", Decimal("373.00")),
    ]
    assert Invoice.objects.get().tie_outs.get().is_tied
    assert offenders() == []


def test_a_new_minimum_inside_the_period_counts_for_the_whole_of_it_in_one_line(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="100")
    billing.set_price(
        company.plan,
        charge="commitment",
        model="commitment",
        params={"minimum_amount": "150"},
        finance=company.finance,
        effective_at=day(20),
    )
    invoice = billing.billed_customer(company)
    line = invoice.lines.get(description="Commitment")
    assert (line.amount, line.segment_start, line.segment_end) == (98, day(20), NOVEMBER)
    assert (line.rated_line.share_part, line.rated_line.share_whole) == (31, 31)


def test_late_usage_is_taken_off_the_true_up(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="100")
    billing.issue(company, [billing.billed_customer(company)])
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    late = {line.description: line for line in InvoiceLine.objects.filter(adjusts__isnull=False)}
    assert {name: line.amount for name, line in late.items()} == {
        "Adjustment of 2026-10-01 to 2026-10-31: Tokens": Decimal("0.50"),
        "Adjustment of 2026-10-01 to 2026-10-31: Commitment": Decimal("-0.50"),
    }
    again = late["Adjustment of 2026-10-01 to 2026-10-31: Commitment"].rated_line
    assert [row.ground.amount for row in again.grounds.order_by("position")] == [Decimal(49), Decimal("3.50")]
    assert amounts(NOVEMBER)["Commitment"] == 51  # November's own
    invoice = Invoice.objects.get(period_start=NOVEMBER)
    assert invoice.tie_outs.get().is_tied
    assert offenders() == []
    billing.issue(company, [invoice], at=NEXT_CLOSING)
    assert all(trace.trace_line(line_id=line.pk).is_equal for line in invoice.lines.all())


def test_late_usage_goes_through_every_line_that_stands_on_it(company: billing.Company) -> None:
    charge(company, "discount", "plan_discount", discount_percent="10")
    charge(company, "cap", "commitment", maximum_amount="47")
    billing.issue(company, [billing.billed_customer(company)])  # 52.00 − 5.20 = 46.80, within
    billing.use("acme", ("late", day(30), 1000), at=NEXT_CLOSING)
    billing.close_november()
    late = InvoiceLine.objects.filter(adjusts__isnull=False).order_by("position")
    assert [(line.description.split(": ")[1], line.amount) for line in late] == [
        ("Tokens", Decimal("2.00")),
        ("Discount", Decimal("-0.20")),
        ("Cap", Decimal("-1.60")),  # 54.00 − 5.40 = 48.60, beyond 47.00
    ]
    assert offenders() == []


def test_late_usage_that_changes_no_plan_line_adds_none(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="10")
    billing.issue(company, [billing.billed_customer(company)])
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    assert [line.amount for line in InvoiceLine.objects.filter(adjusts__isnull=False)] == [Decimal("0.50")]


def test_usage_waits_while_a_plan_line_that_stands_on_it_is_undecided(company: billing.Company) -> None:
    storage = billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.set_price(
        company.plan, meter=storage, model="standard", params={"unit_amount": "1"}, finance=company.finance
    )
    charge(company, "commitment", "commitment", minimum_amount="100")
    billing.issue(company, [billing.billed_customer(company)])
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    billing.use("acme", ("stored", day(29), 7), event_type="storage", at=MUCH_LATER)
    assert billing.close_november(as_of=MUCH_LATER, at=MUCH_LATER).adjusted == 0
    billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=MUCH_LATER)
    december = Invoice.objects.get(period_start=DECEMBER)
    discard.discard_invoice(invoice_id=december.pk, reason="afresh", actor=company.finance, at=MUCH_LATER)
    assert billing.close_november(as_of=MUCH_LATER, at=MUCH_LATER + timedelta(hours=1)).adjusted == 2
    late = InvoiceLine.objects.filter(adjusts__isnull=False, invoice__status="draft").order_by("position")
    assert [line.amount for line in late] == [Decimal(7), Decimal(-7)]
    assert offenders() == []


def test_a_limit_counts_the_fee_of_its_period_that_was_billed_in_advance(company: billing.Company) -> None:
    plan = billing.make_plan("paid-before", finance=company.finance, fee=None, meter=company.meter, unit_amount="0.002")
    params = {"amount": "60", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    charge(company, "commitment", "commitment", plan=plan, minimum_amount="100")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.use("acme", ("e1", day(3), 1000))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("e2", day(3, month=11), 5000), at=NEXT_CLOSING)
    billing.close_november()
    october = InvoiceLine.objects.filter(invoice__period_start=OCTOBER).values_list("amount", flat=True)
    assert list(october.order_by("position")) == [2, 60, 60, 38]
    assert amounts(NOVEMBER) == {"Tokens": 10, "Base": 60, "Commitment": 30}
    assert offenders() == []


def test_a_recheck_finds_nothing_on_a_sound_draft(company: billing.Company) -> None:
    charge(company, "discount", "plan_discount", discount_percent="12.5")
    invoice = billing.billed_customer(company)
    assert reconcile.recheck_invoice(invoice_id=invoice.pk, actor=company.finance, at=CLOSING).is_tied


def test_a_preview_has_the_lines_of_the_plan_and_stores_nothing(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="100")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    billing.use("acme", ("e1", day(3), 1500))
    shown = preview.preview_invoice(customer=customer, period=Period(OCTOBER, NOVEMBER), at=CLOSING)
    assert [(line.description, line.amount) for line in shown.lines] == [
        ("Base", 49),
        ("Tokens", 3),
        ("Commitment", 48),
    ]
    assert not InvoiceLine.objects.exists()


def test_the_trace_goes_both_ways(company: billing.Company) -> None:
    charge(company, "commitment", "commitment", minimum_amount="100")
    invoice = billing.billed_customer(company)
    usage, line = invoice.lines.get(meter_code="tokens"), invoice.lines.get(description="Commitment")
    down = trace.trace_line(line_id=line.pk)
    assert [row.ground.invoice_line.position for row in down.grounds] == [1, 2]
    assert down.is_equal
    up = trace.trace_line(line_id=usage.pk)
    assert [row.line.invoice_line for row in up.carries] == [line]
