"""Plans and prices are proposed by one person and approved by another; only what is approved counts."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry
from invoicing.pricing import plans, prices, proposals, queries, segments, subscribe
from invoicing.pricing.models import Charge, PriceVersion, ProposalStatus
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from tests.builders import agreements, guards
from tests.builders.agreements import BEFORE, FEBRUARY, JANUARY, START, day

pytestmark = pytest.mark.django_db


def propose(charge: Charge, *, effective_at: float = 15, actor: User | None = None) -> PriceVersion:
    return prices.propose_price_version(
        charge=charge,
        model="standard",
        params={"unit_amount": "0.02"},
        effective_at=day(effective_at),
        actor=actor or agreements.author(),
        at=START,
    )


def usage_charge() -> Charge:
    """A charge with a price approved since before the year."""
    return agreements.set_price(agreements.plan(), meter=agreements.meter()).charge


def segments_of_january(charge: Charge) -> list[PriceSegment]:
    subscription = agreements.start(agreements.customer(), charge.plan)
    return segments.price_segments([DuePeriod(subscription.pk, subscription.customer_id, JANUARY)])


def test_a_proposed_price_prices_nothing_until_it_is_approved() -> None:
    charge = usage_charge()
    price = propose(charge)
    found = segments_of_january(charge)
    assert [(each.start, each.end) for each in found] == [(day(1), day(32))]
    agreements.approve(price, at=day(2))
    again = segments.price_segments([DuePeriod(found[0].subscription_id, found[0].customer_id, JANUARY)])
    assert [(each.start, each.end) for each in again] == [(day(1), day(15)), (day(15), day(32))]
    assert again[1].price_version_id == price.pk


def test_a_withdrawn_price_is_kept_and_never_counts() -> None:
    charge = usage_charge()
    price = prices.withdraw_price_version(pk=propose(charge).pk, actor=agreements.author(), at=day(2))
    assert (price.status, price.decided_by, price.decided_at) == ("withdrawn", agreements.author(), day(2))
    assert len(segments_of_january(charge)) == 1
    assert propose(charge).version == 3


def test_nobody_approves_their_own_proposal() -> None:
    finance = agreements.person("fiona", "finance")
    price = propose(usage_charge(), actor=finance)
    with pytest.raises(proposals.OwnProposalError, match="somebody else"):
        prices.approve_price_version(pk=price.pk, actor=finance, at=day(2))
    price.refresh_from_db()
    assert price.status == ProposalStatus.PROPOSED


@pytest.mark.parametrize("role", ["product", "ops", "engineering", "auditor", ""])
def test_only_finance_approves_and_being_a_superuser_does_not_help(role: str) -> None:
    price = propose(usage_charge())
    other = agreements.person("other", *filter(None, [role]))
    other.is_superuser = True
    with pytest.raises(NotAllowedError, match="approve plans and prices"):
        prices.approve_price_version(pk=price.pk, actor=other, at=day(2))


@pytest.mark.parametrize("role", ["ops", "engineering", "auditor"])
def test_only_product_and_finance_propose_and_withdraw(role: str) -> None:
    charge, other = usage_charge(), agreements.person("other", role)
    with pytest.raises(NotAllowedError):
        propose(charge, actor=other)
    with pytest.raises(NotAllowedError):
        prices.withdraw_price_version(pk=propose(charge).pk, actor=other, at=day(2))
    with pytest.raises(NotAllowedError):
        plans.propose_version(plan=charge.plan, terms={}, effective_at=day(9), actor=other, at=START)


@pytest.mark.parametrize("first", ["approve_price_version", "withdraw_price_version"])
def test_a_version_is_decided_once(first: str) -> None:
    price = propose(usage_charge())
    getattr(prices, first)(pk=price.pk, actor=agreements.approver(), at=day(2))
    for again in (prices.approve_price_version, prices.withdraw_price_version):
        with pytest.raises(proposals.NotProposedError, match="already"):
            again(pk=price.pk, actor=agreements.approver(), at=day(3))


def test_an_approval_too_late_does_not_rewrite_what_has_come_into_force() -> None:
    charge = usage_charge()
    late, other = propose(charge, effective_at=10), propose(charge, effective_at=12)
    agreements.approve(other, at=day(11))
    with pytest.raises(proposals.EarlierThanInForceError):
        agreements.approve(late, at=day(13))


def test_of_two_versions_of_one_instant_the_older_is_not_approved_after_the_newer() -> None:
    charge = usage_charge()
    older, newer = propose(charge), propose(charge)
    agreements.approve(newer, at=day(2))
    with pytest.raises(proposals.SupersededError, match="Version 3"):
        agreements.approve(older, at=day(2))


def test_every_step_is_in_the_audit_chain_with_who_took_it() -> None:
    charge = usage_charge()
    agreements.approve(propose(charge), at=day(2))
    prices.withdraw_price_version(pk=propose(charge, effective_at=20).pk, actor=agreements.author(), at=day(3))
    entries = AuditEntry.objects.filter(subject__startswith="price:", recorded_at__gte=START).order_by("id")
    assert [(entry.action, entry.subject, str(entry.actor)) for entry in entries] == [
        ("version_proposed", "price:basic/tokens/2", "pia"),
        ("version_approved", "price:basic/tokens/2", "fay"),
        ("version_proposed", "price:basic/tokens/3", "pia"),
        ("version_withdrawn", "price:basic/tokens/3", "pia"),
    ]


def test_the_database_refuses_an_approver_who_is_the_author() -> None:
    price = propose(usage_charge())
    decided = (
        "UPDATE pricing_priceversion SET status = 'approved', decided_at = now(), decided_by_id = %s WHERE id = %s"
    )
    assert guards.refuses(decided, [agreements.author().pk, price.pk])
    assert not guards.refuses(decided, [agreements.approver().pk, price.pk])


@pytest.mark.parametrize(
    "change",
    [
        "status = 'approved', decided_at = now()",
        "status = 'approved', decided_at = created_at",
        "status = 'withdrawn', decided_at = now()",
        "decided_at = now()",
        "params = '{}'",
        "effective_at = now()",
        "created_by_id = NULL",
    ],
)
def test_the_database_refuses_a_decision_that_nobody_took_and_a_change_of_what_was_said(change: str) -> None:
    price = propose(usage_charge())
    assert guards.refuses(f"UPDATE pricing_priceversion SET {change} WHERE id = %s", [price.pk])  # noqa: S608  the list above


def test_the_database_refuses_a_second_decision_and_a_version_that_was_never_proposed() -> None:
    price = agreements.approve(propose(usage_charge()))
    assert guards.refuses("UPDATE pricing_priceversion SET status = 'withdrawn' WHERE id = %s", [price.pk])
    columns = "version, effective_at, status, created_by_id, created_at, decided_by_id, decided_at, model, params"
    assert guards.refuses(
        f"INSERT INTO pricing_priceversion (charge_id, {columns}) "  # noqa: S608  the columns above
        f"SELECT charge_id, version + 7, {columns.removeprefix('version, ')} FROM pricing_priceversion WHERE id = %s",
        [price.pk],
    )


def test_a_plan_is_sold_once_its_first_version_is_approved() -> None:
    plan, customer = agreements.proposed_plan(), agreements.customer()
    with pytest.raises(subscribe.PlanNotApprovedError, match="plan basic"):
        agreements.start(customer, plan)
    plans.approve_version(pk=plan.versions.get().pk, actor=agreements.approver(), at=BEFORE)
    assert agreements.start(customer, plan).phases.get().plan == plan


def test_nobody_is_moved_to_a_plan_that_is_not_approved() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    with pytest.raises(subscribe.PlanNotApprovedError):
        subscribe.change_plan(
            subscription=subscription, plan=agreements.proposed_plan("pro"), effective_at=day(9), actor=None, at=START
        )


def test_new_terms_split_every_charge_at_their_instant() -> None:
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter())
    agreements.fee(plan)
    subscription = agreements.start(agreements.customer(time_zone="Europe/Berlin"), plan)
    version = agreements.set_terms(plan, effective_at=day(11), proration_unit="day", proration_zone="Asia/Tokyo")
    found = segments.price_segments([DuePeriod(subscription.pk, subscription.customer_id, JANUARY)])
    assert [(each.start, each.end, each.proration_unit, each.proration_zone) for each in found] == [
        (day(1), day(11), "second", "Europe/Berlin"),
        (day(11), day(32), "day", "Asia/Tokyo"),
    ] * 2
    assert [each.plan_version_id == version.pk for each in found] == [False, True] * 2


def test_proposed_terms_split_nothing() -> None:
    plan = agreements.plan()
    agreements.fee(plan)
    plans.propose_version(
        plan=plan, terms={"proration_unit": "day"}, effective_at=day(11), actor=agreements.author(), at=START
    )
    subscription = agreements.start(agreements.customer(), plan)
    found = segments.price_segments([DuePeriod(subscription.pk, subscription.customer_id, JANUARY)])
    assert [(each.start, each.proration_unit) for each in found] == [(day(1), "second")]


def test_terms_follow_the_version_in_force_and_are_kept_with_what_was_rated() -> None:
    plan = agreements.plan()
    first = plan.versions.get()
    with pytest.raises(proposals.EarlierThanInForceError):
        agreements.set_terms(plan, effective_at=first.effective_at, at=START)
    second = agreements.set_terms(plan, effective_at=FEBRUARY.start, at=START)
    versions = plan.versions.all()
    moment = timedelta(microseconds=1)
    assert plans.terms_of(versions, at=FEBRUARY.start - moment) == first
    assert plans.terms_of(versions, at=FEBRUARY.start) == second
    assert queries.due_periods(as_of=FEBRUARY.end) == []


def test_months_of_thirty_days_are_for_plans_that_bill_by_months() -> None:
    with pytest.raises(InvalidInputError, match="count its days as they are"):
        agreements.proposed_plan(interval="day", interval_count=30, proration_unit="day30")
    assert agreements.proposed_plan(interval="quarter", proration_unit="day30").versions.count() == 1
