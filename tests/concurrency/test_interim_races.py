"""Interim drafts under attack: several evaluators at once, and a close beside them."""

import multiprocessing

import pytest
from django.db.models import Sum

from billing_ops.management.commands import check_invariants
from invoicing.cycle import off_cycle as drafting
from invoicing.cycle.models import BillingCycle, InterimFiring, Invoice, InvoiceLine
from tests.builders import billing, off_cycle, racing
from tests.builders.billing import CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db(transaction=True)
CUSTOMERS = 20


@pytest.fixture
def company() -> billing.Company:
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("2.00"), since=OCTOBER)
    for number in range(CUSTOMERS):
        code = f"customer{number}"
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", day(3), 1000 + number), at=day(4))
    return company


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_four_evaluators_draft_each_crossing_once(company: billing.Company) -> None:
    barrier = multiprocessing.get_context("fork").Barrier(4, timeout=60)

    def evaluate() -> None:
        barrier.wait()
        assert drafting.draft_interims(at=day(5)).failed == []

    racing.run_together(*[evaluate] * 4)
    drafts = Invoice.objects.filter(kind="interim", status="draft")
    assert drafts.count() == InterimFiring.objects.count() == BillingCycle.objects.count() == CUSTOMERS
    assert offences() == {}


def test_a_close_and_an_evaluator_never_bill_the_same_usage(company: billing.Company) -> None:
    """The close is early, in the last hour of the period, so both want the same usage; whoever is first has it."""
    last_hour = NOVEMBER.replace(month=10, day=31, hour=23)
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def evaluate() -> None:
        barrier.wait()
        assert drafting.draft_interims(at=last_hour).failed == []

    def close_all() -> None:
        barrier.wait()
        billing.close_october(at=last_hour)

    racing.run_together(evaluate, close_all)
    whole = Invoice.objects.filter(kind="cycle").values_list("customer", flat=True)
    interim = Invoice.objects.filter(kind="interim").values_list("customer", flat=True)
    assert sorted([*whole, *interim]) == sorted({*whole, *interim})
    assert len(whole) + len(interim) == CUSTOMERS
    for invoice in Invoice.objects.filter(kind="interim"):
        off_cycle.issue(company, invoice, at=CLOSING)
    billing.close_october()
    assert Invoice.objects.filter(kind="cycle").count() == CUSTOMERS
    used = InvoiceLine.objects.filter(meter_code="tokens").aggregate(sum=Sum("amount"))["sum"]
    assert f"{used:.2f}" == "40.38"  # 1,000 to 1,019 tokens: 3 × 2.00, 5 × 2.01, 5 × 2.02, 5 × 2.03, 2 × 2.04
    assert offences() == {}
