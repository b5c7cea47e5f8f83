"""A price or a policy edited while a close rates: every period is billed by one state of what was agreed."""

import multiprocessing
import random
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from invoicing.cycle import assemble, close, close_runs, repair
from invoicing.cycle.models import CloseRun, Invoice
from invoicing.pricing import arrange, invoice_terms, plans, prices
from invoicing.pricing.models import PriceVersion, Subscription
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
    """Close; once this function has come back for the second time, in whichever process, another edits and commits."""
    has_read, is_edited, calls = FORK.Event(), FORK.Event(), FORK.Value("i", 0)

    def close_all() -> None:
        original: Callable[..., Any] = getattr(module, name)

        def then_wait(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            with calls.get_lock():
                calls.value += 1
                is_second = calls.value == 2
            if is_second:
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


BY_THE_OLD_PRICE = [Decimal("49.00"), Decimal("3.00")]
BY_BOTH_PRICES = [Decimal("49.00"), Decimal("2.00"), Decimal("2.00")]


def live_amounts() -> list[list[Decimal]]:
    return [amounts(invoice) for invoice in Invoice.objects.exclude(status="discarded").order_by("customer_id")]


def draft_again(company: billing.Company) -> None:
    for invoice in Invoice.objects.exclude(status="discarded"):
        billing.discard_draft(company, invoice)
    assert billing.close_october(at=CLOSING + timedelta(days=1)).drafted == CUSTOMERS


def test_a_price_approved_while_a_chunk_is_rated_counts_for_none_of_that_close_and_for_all_of_the_next(
    company: billing.Company,
) -> None:
    dearer = a_dearer_price(company)

    def approve() -> None:
        prices.approve_price_version(pk=dearer.pk, actor=billing.approver(), at=CLOSING)

    close_while(approve, module=assemble.advance, name="segments_to_bill")
    assert live_amounts() == [BY_THE_OLD_PRICE] * CUSTOMERS
    run = CloseRun.objects.select_related("known").get()
    assert run.known is not None
    dearer.refresh_from_db()
    assert dearer.decided_at == run.known.known_at + timedelta(microseconds=1)  # though its author's clock said before
    assert soundness.offences() == {}
    later = CLOSING + timedelta(hours=1)  # a repair knows what was agreed when it is asked for
    fresh = repair.repair_invoice(
        invoice_id=Invoice.objects.earliest("pk").pk, reason="dearer", actor=company.finance, at=later
    )
    changes = [(row.before_amount, row.after_amount) for row in fresh.delta_reports.get().rows.all()]
    assert sorted(changes) == [(0, 2), (0, 2), (3, 0)]  # two parts of the month in place of one
    draft_again(company)
    assert live_amounts() == [BY_BOTH_PRICES] * CUSTOMERS
    assert soundness.offences() == {}


def test_a_close_that_was_killed_goes_on_by_what_was_known_when_it_began(company: billing.Company) -> None:
    dearer = a_dearer_price(company)
    calls = 0

    def is_over() -> bool:
        nonlocal calls
        calls += 1
        return calls == 2

    run = close_runs.ask_for_run(as_of=billing.NOVEMBER, customer_codes=None, actor=None, at=CLOSING)
    close.go_on(run, actor=None, at=CLOSING, is_over=is_over)
    assert Invoice.objects.count() == 2 * CHUNK
    prices.approve_price_version(pk=dearer.pk, actor=billing.approver(), at=CLOSING + timedelta(hours=1))
    billing.sign_a_policy(author=company.meter.owner, at=CLOSING + timedelta(hours=1))
    assert billing.close_october(at=CLOSING + timedelta(days=3)).drafted == CHUNK
    assert CloseRun.objects.count() == 1
    assert live_amounts() == [BY_THE_OLD_PRICE] * CUSTOMERS
    assert set(Invoice.objects.values_list("policy__version", flat=True)) == {1}
    assert soundness.offences() == {}


def other_agreements(company: billing.Company) -> list[Callable[[], object]]:
    """Of each kind one more that would count from a past instant, ready to be put in force."""
    at, since = CLOSING, billing.OCTOBER + timedelta(days=15)
    pia, frida = billing.person("pia", "product"), billing.approver()
    version = plans.propose_version(
        plan=company.plan, terms={"proration_unit": "second"}, effective_at=since, actor=pia, at=at
    )
    term = invoice_terms.propose_invoice_term(
        subject=company.plan,
        code="spring",
        kind="allowance",
        reason="Spring",
        percent=Decimal(10),
        effective_at=since,
        actor=pia,
        at=at,
    )
    return [
        lambda: plans.approve_version(pk=version.pk, actor=frida, at=at),
        lambda: invoice_terms.approve_invoice_term(pk=term.pk, actor=frida, at=at),
        partial(
            prices.add_tax_rate,
            code="de-vat",
            name="VAT",
            category="S",
            percent=Decimal(7),
            note="",
            effective_at=since,
            actor=frida,
            at=at,
        ),
        *(
            partial(
                arrange.set_quantity,
                subscription=own,
                charge_code="base",
                quantity=Decimal(2),
                effective_at=since,
                actor=frida,
                at=at,
            )
            for own in Subscription.objects.order_by("pk")
        ),
    ]


def test_nothing_else_that_is_agreed_during_a_close_counts_for_it(company: billing.Company) -> None:
    agreements = other_agreements(company)

    def agree() -> None:
        for each in agreements:
            each()

    close_while(agree, module=assemble.advance, name="segments_to_bill")
    found = Invoice.objects.order_by("customer_id")
    assert [(amounts(one), one.total) for one in found] == [(BY_THE_OLD_PRICE, Decimal("61.88"))] * CUSTOMERS
    assert soundness.offences() == {}


def approve_while_closing(company: billing.Company, *, rounds: int) -> None:
    """Every round another price from a past instant is approved at some moment of a close of six chunks."""
    close.CHUNK_PERIODS = 2  # the fixture puts it back
    seed = random.Random(23)  # noqa: S311  no secret, only moments
    pauses = [seed.uniform(0, 0.25) for _ in range(rounds)]
    proposed = [
        prices.propose_plan_price(
            plan=company.plan,
            charge_code=None,
            meter=company.meter,
            name=None,
            model="standard",
            params={"unit_amount": f"0.00{number:04}"},
            effective_at=billing.OCTOBER + timedelta(days=15, minutes=number),
            actor=company.finance,
            at=LONG_AGO,
        ).pk
        for number in range(rounds)
    ]
    begun, over = FORK.Barrier(2, timeout=60), FORK.Barrier(2, timeout=60)
    split = FORK.Value("i", 0)

    def close_all() -> None:
        for number in range(rounds):
            begun.wait()
            billing.close_october(at=CLOSING + timedelta(hours=number))
            over.wait()
            known = {
                tuple(invoice.lines.order_by("position").values_list("rated_line__price_version", flat=True))
                for invoice in Invoice.objects.exclude(status="discarded")
            }
            assert len(known) == 1, f"round {number}"
            newest = max(known.pop())
            split.value += newest != proposed[number]  # it came too late for this round
            for invoice in Invoice.objects.exclude(status="discarded"):
                billing.discard_draft(company, invoice)

    def approve() -> None:
        for pk, pause in zip(proposed, pauses, strict=True):
            begun.wait()
            time.sleep(pause)
            prices.approve_price_version(pk=pk, actor=billing.approver(), at=CLOSING - timedelta(seconds=1))
            over.wait()

    racing.run_together(close_all, approve)
    assert split.value > 0  # some came while a close was running
    assert soundness.offences() == {}


def test_every_close_bills_one_version_of_a_price_whenever_the_next_is_approved(company: billing.Company) -> None:
    approve_while_closing(company, rounds=3)


@pytest.mark.nightly
def test_sixty_closes_bill_one_version_of_a_price_each(company: billing.Company) -> None:
    approve_while_closing(company, rounds=60)


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
