"""What is rounded once is the plan's to say: each line, or the sum of the lines, which then add up to it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from core.periods import Period
from invoicing.cycle import preview, queries, reconcile
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import plans
from invoicing.pricing.models import Plan
from tests.builders import billing
from tests.builders.billing import CLOSING, LONG_AGO, NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def make_plan(company: billing.Company, code: str, **terms: Any) -> Plan:
    """Three fees of 10.006 a month, and 0.002 per token."""
    plan = plans.create_plan(code=code, name=code, currency="EUR", actor=company.finance, at=LONG_AGO, **terms)
    plans.approve_version(pk=plan.versions.get().pk, actor=billing.approver(), at=LONG_AGO)
    for name in ("first", "second", "third"):
        billing.set_price(plan, charge=name, model="flat", params={"amount": "10.006"}, finance=company.finance)
    params = {"unit_amount": "0.002"}
    billing.set_price(plan, meter=company.meter, model="standard", params=params, finance=company.finance)
    return plan


def billed(company: billing.Company, plan: Plan, *, tokens: int = 1000) -> Invoice:
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.use("acme", ("e1", day(3), tokens))
    billing.close_october()
    return Invoice.objects.get()


def amounts(invoice: Invoice) -> dict[str, str]:
    return {line.description: str(line.amount.quantize(Decimal("0.01"))) for line in invoice.lines.order_by("position")}


def offenders() -> list[str]:
    return [found for one in check_invariants.all_invariants() for found in one.find_offenders()]


def write_past_triggers(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_unless_the_plan_says_otherwise_each_line_is_rounded(company: billing.Company) -> None:
    plan = make_plan(company, "by-line")
    assert plan.versions.get().rounding_level == "line"
    invoice = billed(company, plan)
    assert amounts(invoice) == {"First": "10.01", "Second": "10.01", "Third": "10.01", "Tokens": "2.00"}
    assert invoice.subtotal == Decimal("32.03")


def test_together_the_sum_is_rounded_and_the_lines_add_up_to_it(company: billing.Company) -> None:
    invoice = billed(company, make_plan(company, "together", rounding_level="invoice"))
    # 3 × 10.006 + 2 = 32.018: a cent less than the lines by themselves, given up by the last of equal remainders
    assert amounts(invoice) == {"First": "10.01", "Second": "10.01", "Third": "10.00", "Tokens": "2.00"}
    assert invoice.subtotal == Decimal("32.02")
    third = invoice.lines.get(description="Third").rated_line
    assert (third.rounding_level, third.rounding, third.amount_exact) == (
        "invoice",
        Decimal("-0.01"),
        Decimal("10.006"),
    )
    assert invoice.tie_outs.get().is_tied
    assert offenders() == []


def test_the_preview_says_what_the_draft_will(company: billing.Company) -> None:
    plan = make_plan(company, "together", rounding_level="invoice")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer, plan=plan)
    shown = preview.preview_invoice(customer=customer, period=Period(OCTOBER, NOVEMBER), at=CLOSING)
    assert shown.totals.subtotal == Decimal("30.02")
    assert [str(line.rated_line.rounding) for line in shown.lines][2] == "-0.01"


def test_page_document_and_trace_show_the_cent(company: billing.Company) -> None:
    invoice = billed(company, make_plan(company, "together", rounding_level="invoice"))
    third = next(line for line in queries.invoice_document(invoice).lines if line.description == "Third")
    told = [(step.label, step.amount) for step in third.steps]
    assert told == [
        ("Whole period", Decimal("10.006")),
        ("Rounded together with the other lines", Decimal("-0.01")),
    ]
    walked = trace.trace_line(line_id=invoice.lines.get(description="Third").pk)
    assert walked.is_equal
    assert "amount rounded together" in [check.step for check in walked.checks]
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal


def test_a_cent_given_to_the_wrong_line_is_a_break(company: billing.Company) -> None:
    invoice = billed(company, make_plan(company, "together", rounding_level="invoice"))
    write_past_triggers(
        "UPDATE rating_ratedline SET amount = 10.01, rounding = 0 WHERE rounding < 0;"
        " UPDATE rating_ratedline line SET amount = 10.00, rounding = -0.01"
        " FROM pricing_charge charge WHERE charge.id = line.charge_id AND charge.code = 'first'"
    )
    result = reconcile.recheck_invoice(invoice_id=invoice.pk, actor=None, at=CLOSING)
    assert not result.is_tied
    assert sorted(found.name for found in invoice.breaks.all()) == ["amount_not_reproduced"] * 2


def test_a_late_event_is_rounded_by_itself_and_lines_that_stay_keep_their_cent(company: billing.Company) -> None:
    invoice = billed(company, make_plan(company, "together", rounding_level="invoice"), tokens=1001)
    # 3 × 10.006 + 2.002 = 32.020
    assert amounts(invoice) == {"First": "10.01", "Second": "10.01", "Third": "10.00", "Tokens": "2.00"}
    billing.issue(company, [invoice])
    billing.use("acme", ("late", day(5), 2), at=NEXT_CLOSING)
    billing.close_november()
    late = InvoiceLine.objects.get(adjusts__isnull=False)
    assert (late.rated_line.amount_exact, late.rated_line.amount, late.amount) == (
        Decimal("2.006"),
        Decimal("2.01"),
        Decimal("0.01"),
    )
    assert late.rated_line.rounding == 0
    november = late.invoice
    assert [str(line.amount) for line in november.lines.filter(adjusts=None).order_by("position")][:3] == [
        "10.0100",
        "10.0100",
        "10.0000",
    ]
    assert november.tie_outs.get().is_tied
    assert offenders() == []


def test_a_limit_of_the_whole_plan_stands_on_lines_as_they_are_billed(company: billing.Company) -> None:
    plan = make_plan(company, "together", rounding_level="invoice")
    billing.set_price(
        plan, charge="minimum", model="commitment", params={"minimum_amount": "50"}, finance=company.finance
    )
    invoice = billed(company, plan)
    assert amounts(invoice)["Minimum"] == "17.98"
    assert invoice.subtotal == Decimal(50)
    assert offenders() == []


def test_a_line_by_itself_has_nothing_of_rounding_together(company: billing.Company) -> None:
    billed(company, make_plan(company, "by-line"))
    with pytest.raises(IntegrityError, match="rating_line_rounding"), transaction.atomic():
        write_past_triggers("UPDATE rating_ratedline SET rounding = 0.01")
