"""What a version that nobody approved yet would have cost each customer over the last closed period."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import work
from core.errors import NotAllowedError
from core.models import Job
from invoicing.effects import compare, queries, run
from invoicing.effects.models import Effect, EffectRun
from invoicing.pricing import plans, prices, subscribe
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import PlanVersion, PriceVersion, Subscription
from invoicing.pricing.segments import Supposed
from invoicing.rating.models import RatedLine
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, NOVEMBER, OCTOBER

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    """49.00 a month by day, and 0.002 a token; acme used 1,500 in October, globex 10,000, and quiet nothing."""
    company = billing.open_company()
    for code in ("acme", "globex", "quiet"):
        billing.subscribe_to(company, billing.make_customer(code))
    billing.use("acme", ("e1", billing.day(3), 1000), ("e2", billing.day(20), 500))
    billing.use("globex", ("e1", billing.day(5), 10_000))
    return company


def propose(company: billing.Company, *, fee: bool = False, **params: str) -> PriceVersion:
    charge = company.plan.charges.get(meter__isnull=fee)
    return prices.propose_price_version(
        charge=charge,
        model="flat" if fee else "standard",
        params=params,
        effective_at=DECEMBER,
        actor=company.finance,
        at=CLOSING,
    )


def ask(company: billing.Company, subject: Any, *, at: datetime = CLOSING) -> EffectRun:
    asked = run.ask(subject=subject, actor=company.finance, at=at)
    run.answer(run_id=asked.pk, at=at)
    asked.refresh_from_db()
    return asked


def found(asked: EffectRun) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    return {each.customer.code: (each.old_amount, each.new_amount) for each in queries.effects_of(asked)}


def test_a_proposed_price_is_tried_on_the_usage_of_the_last_closed_month(company: billing.Company) -> None:
    asked = ask(company, propose(company, unit_amount="0.003"))
    assert found(asked) == {
        "globex": (Decimal(69), Decimal(79)),
        "acme": (Decimal(52), Decimal("53.50")),
        "quiet": (Decimal(49), Decimal(49)),
    }
    assert {(each.period_start, each.period_end) for each in asked.effects.all()} == {(OCTOBER, NOVEMBER)}
    assert queries.summary_of(asked) == queries.RunSummary(
        total=3, done=3, dearer=2, cheaper=0, failed=0, old_amount=Decimal(170), new_amount=Decimal("181.50")
    )


def test_the_greatest_change_comes_first(company: billing.Company) -> None:
    asked = ask(company, propose(company, unit_amount="0.001"))
    assert list(found(asked)) == ["globex", "acme", "quiet"]


def test_a_proposed_fee_is_tried_and_nothing_of_it_is_kept(company: billing.Company) -> None:
    asked = ask(company, propose(company, fee=True, amount="59"))
    assert found(asked)["quiet"] == (Decimal(49), Decimal(59))
    assert not RatedLine.objects.exists()
    assert PriceVersion.objects.filter(status="proposed").count() == 1


def test_proposed_terms_are_tried(company: billing.Company) -> None:
    late = billing.make_customer("late")
    billing.subscribe_to(company, late, since=billing.day(20))
    subscription = late.subscriptions.get()
    subscribe.end_subscription(
        subscription=subscription, ends_at=billing.day(25), actor=company.finance, at=billing.day(21)
    )
    terms = plans.propose_version(
        plan=company.plan,
        terms={"proration_unit": "second"},
        effective_at=DECEMBER,
        actor=company.finance,
        at=CLOSING,
    )
    # 20 to 25 October are six days of 31 of 49.00; five days to the second are 5/31 of it.
    assert found(ask(company, terms))["late"] == (Decimal("9.48"), Decimal("7.90"))


def test_what_the_plan_charges_for_its_other_lines_is_part_of_it(company: billing.Company) -> None:
    """A least charge of 60.00: 49.00 + 3.00 and 49.00 are raised to it, 49.00 + 20.00 is above."""
    charge = plans.add_charge(plan=company.plan, code="least", name="Least charge", meter=None)
    least = prices.propose_price_version(
        charge=charge,
        model="commitment",
        params={"minimum_amount": "60"},
        effective_at=DECEMBER,
        actor=company.finance,
        at=CLOSING,
    )
    assert found(ask(company, least)) == {
        "quiet": (Decimal(49), Decimal(60)),
        "acme": (Decimal(52), Decimal(60)),
        "globex": (Decimal(69), Decimal(69)),
    }


def test_a_customer_without_a_closed_period_is_not_asked_about(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("newcomer"), since=billing.day(30))
    asked = ask(company, propose(company, unit_amount="0.003"), at=billing.day(31))
    assert (asked.total, found(asked)) == (0, {})


def test_who_left_the_plan_before_the_period_is_not_asked_about(company: billing.Company) -> None:
    other = billing.make_plan("other", finance=company.finance, fee="1", meter=None)
    subscription = Subscription.objects.get(customer__code="quiet")
    subscribe.change_plan(subscription=subscription, plan=other, effective_at=NOVEMBER, actor=None, at=NOVEMBER)
    asked = ask(company, propose(company, unit_amount="0.003"), at=billing.NEXT_CLOSING)
    assert set(found(asked)) == {"acme", "globex"}


def test_a_worker_answers_and_an_answer_begun_goes_on_where_it_stopped(company: billing.Company) -> None:
    asked = run.ask(subject=propose(company, unit_amount="0.003"), actor=company.finance, at=CLOSING)
    assert Job.objects.get(kind=run.RUN_JOB).arguments == {"run_id": asked.pk}
    due = pricing_queries.last_closed_periods(plan_id=company.plan.pk, as_of=CLOSING)
    run._keep(asked, compare.compare_periods(due[:1], supposed=Supposed(), at=CLOSING))  # noqa: SLF001  half an answer
    assert work.run_due_jobs(at=CLOSING) == 1
    asked.refresh_from_db()
    assert (asked.total, asked.effects.count(), asked.finished_at is not None) == (3, 3, True)


def test_what_cannot_be_rated_is_named_and_the_others_are_answered(company: billing.Company) -> None:
    asked = ask(company, propose(company, unit_amount="999999999999"))
    figures = found(asked)
    assert figures["quiet"] == (Decimal(49), Decimal(49))
    assert figures["acme"] == figures["globex"] == (None, None)
    assert "more than an invoice can hold" in asked.effects.get(customer__code="globex").problem
    assert list(figures)[-1] == "quiet"
    assert queries.summary_of(asked).failed == 2


def test_the_number_of_statements_does_not_grow_with_the_customers(company: billing.Company) -> None:
    supposed = run.supposed_by(propose(company, unit_amount="0.003"))

    def count() -> int:
        due = pricing_queries.last_closed_periods(plan_id=company.plan.pk, as_of=CLOSING)
        with CaptureQueriesContext(connection) as captured:
            compare.compare_periods(due, supposed=supposed, at=CLOSING)
        return len(captured)

    few = count()
    for number in range(12):
        billing.subscribe_to(company, billing.make_customer(f"c{number}"))
    assert count() == few


@pytest.mark.parametrize("role", ["ops", "engineering"])
def test_only_who_works_on_prices_or_reads_everything_asks(company: billing.Company, role: str) -> None:
    with pytest.raises(NotAllowedError):
        run.ask(subject=propose(company, unit_amount="1"), actor=billing.person("other", role), at=CLOSING)


def test_every_kind_of_change_is_supposed_as_what_it_is(company: billing.Company) -> None:
    price, terms = propose(company, unit_amount="1"), PlanVersion.objects.get()
    assert run.supposed_by(price) == Supposed(prices={price.charge_id: price.pk})
    assert run.supposed_by(terms) == Supposed(terms={company.plan.pk: terms.pk})
    assert not Effect.objects.exists()
