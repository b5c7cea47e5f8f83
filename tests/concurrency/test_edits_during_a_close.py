"""A price or a policy edited while a close rates: every period is billed by one state of what was agreed."""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from invoicing.cycle import assemble, close
from invoicing.cycle.models import Invoice
from invoicing.pricing import prices
from invoicing.pricing.models import PriceVersion
from tests.builders import billing, racing, soundness
from tests.builders.billing import CLOSING, LONG_AGO, NEXT_CLOSING, day

pytestmark = pytest.mark.django_db(transaction=True)
FORK = multiprocessing.get_context("fork")
CHUNK = 4  # customers that one transaction of the close takes
CUSTOMERS = 12


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> billing.Company:
    """Twelve customers with 1,000 tokens on 3 October and 500 on the 20th, closed four at a time."""
    monkeypatch.setattr(close, "CHUNK_PERIODS", CHUNK)
    company = billing.open_company()
    with transaction.atomic():
        for number in range(CUSTOMERS):
            code = f"customer{number}"
            billing.subscribe_to(company, billing.make_customer(code))
            billing.use(code, ("e1", day(3), 1000), ("e2", day(20), 500))
    return company


def close_while(edit: Callable[[], None], *, module: Any, name: str) -> None:
    """Close in one process; once this function has come back to it for the second time, another edits and commits."""
    has_read, is_edited = FORK.Event(), FORK.Event()

    def close_all() -> None:
        original: Callable[..., Any] = getattr(module, name)
        calls = 0

        def then_wait(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            result = original(*args, **kwargs)
            calls += 1
            if calls == 2:
                has_read.set()
                assert is_edited.wait(60)
            return result

        setattr(module, name, then_wait)
        report = billing.close_october()
        assert (report.drafted, report.held, report.failed) == (CUSTOMERS, 0, [])

    def edit_meanwhile() -> None:
        assert has_read.wait(60)
        edit()
        is_edited.set()

    racing.run_together(close_all, edit_meanwhile)


def amounts(invoice: Invoice) -> list[Decimal]:
    return list(invoice.lines.order_by("position").values_list("amount", flat=True))


def a_dearer_price(company: billing.Company) -> PriceVersion:
    """From 16 October a token costs 0.004 in place of 0.002, once somebody approves it."""
    return prices.propose_plan_price(
        plan=company.plan,
        charge_code=None,
        meter=company.meter,
        name=None,
        model="standard",
        params={"unit_amount": "0.004"},
        effective_at=billing.OCTOBER + timedelta(days=15),
        actor=company.finance,
        at=LONG_AGO,
    )


def test_a_price_approved_while_a_chunk_is_rated_counts_for_all_of_the_next_and_none_of_this(
    company: billing.Company,
) -> None:
    dearer = a_dearer_price(company)

    def approve() -> None:
        prices.approve_price_version(pk=dearer.pk, actor=billing.approver(), at=CLOSING)

    close_while(approve, module=assemble.advance, name="segments_to_bill")
    found = [amounts(invoice) for invoice in Invoice.objects.order_by("customer_id")]
    by_the_old_price = [Decimal("49.00"), Decimal("3.00")]
    by_both_prices = [Decimal("49.00"), Decimal("2.00"), Decimal("2.00")]
    assert found == [by_the_old_price] * 8 + [by_both_prices] * 4
    assert soundness.offences() == {}


@pytest.mark.parametrize("step", [(assemble.policy_queries, "policies_in_force"), (assemble.rate, "rate_segments")])
def test_a_policy_signed_during_a_close_decides_nothing_of_that_close(
    company: billing.Company, step: tuple[Any, str]
) -> None:
    def sign() -> None:
        billing.sign_a_policy(author=company.meter.owner, at=CLOSING + timedelta(seconds=1))

    module, name = step
    close_while(sign, module=module, name=name)
    assert list(Invoice.objects.values_list("policy__version", flat=True)) == [1] * CUSTOMERS
    billing.issue(company, list(Invoice.objects.all()))
    assert billing.close_november().drafted == CUSTOMERS
    later = Invoice.objects.filter(drafted_at=NEXT_CLOSING)
    assert list(later.values_list("policy__version", flat=True)) == [2] * CUSTOMERS
    assert soundness.offences() == {}
