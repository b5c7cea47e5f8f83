"""Agreements made at the same moment: one after the other, never both of two that exclude each other."""

from functools import partial

import pytest
from django.contrib.auth.models import User

from accounts.models import Customer
from core import audit
from core.models import AuditEntry
from invoicing.pricing import prices, proposals, subscribe
from invoicing.pricing.models import Charge, Plan, PriceVersion, Subscription, SubscriptionPhase
from tests.builders import agreements
from tests.builders.agreements import BEFORE, START, day
from tests.builders.racing import run_together

pytestmark = pytest.mark.django_db(transaction=True)
RUNNERS = 4


def try_to_start(customer_id: int, plan_id: int) -> None:
    try:
        subscribe.start_subscription(
            customer=Customer.objects.get(pk=customer_id),
            plan=Plan.objects.get(pk=plan_id),
            starts_at=START,
            actor=None,
            at=BEFORE,
        )
    except subscribe.MeterPricedTwiceError:
        return


def try_to_change(subscription_id: int, plan_id: int) -> None:
    try:
        subscribe.change_plan(
            subscription=Subscription.objects.get(pk=subscription_id),
            plan=Plan.objects.get(pk=plan_id),
            effective_at=day(15),
            actor=None,
            at=START,
        )
    except subscribe.NotInForceError:
        return


def decide(price_id: int, verdict: str) -> None:
    decision = prices.approve_price_version if verdict == "approved" else prices.withdraw_price_version
    try:
        decision(pk=price_id, actor=User.objects.get(username="fay"), at=START)
    except proposals.NotProposedError:
        return


def add_price(charge_id: int) -> None:
    prices.propose_price_version(
        charge=Charge.objects.get(pk=charge_id),
        model="standard",
        params={"unit_amount": "0.02"},
        effective_at=day(40),
        actor=User.objects.get(username="pia"),
        at=START,
    )


def test_a_meter_is_priced_once_however_many_start_at_the_same_time() -> None:
    who, meter = agreements.customer(), agreements.meter()
    plans = [agreements.plan(f"p{number}") for number in range(RUNNERS)]
    for plan in plans:
        agreements.set_price(plan, meter=meter)
    run_together(*(partial(try_to_start, who.pk, plan.pk) for plan in plans))
    assert Subscription.objects.count() == SubscriptionPhase.objects.count() == 1


def test_one_of_many_changes_at_the_same_instant_takes_effect() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    plans = [agreements.plan(f"p{number}") for number in range(RUNNERS)]
    run_together(*(partial(try_to_change, subscription.pk, plan.pk) for plan in plans))
    assert subscription.phases.count() == 2
    assert audit.find_first_broken_entry() is None


def test_prices_added_at_the_same_time_get_numbers_of_their_own() -> None:
    charge = agreements.set_price(agreements.plan(), meter=agreements.meter()).charge
    run_together(*(partial(add_price, charge.pk) for _ in range(RUNNERS)))
    versions = PriceVersion.objects.order_by("version").values_list("version", flat=True)
    assert list(versions) == [1, 2, 3, 4, 5]
    assert audit.find_first_broken_entry() is None


def test_a_price_approved_and_withdrawn_at_the_same_time_has_one_decision() -> None:
    price = agreements.propose_price(agreements.plan(), meter=agreements.meter())
    verdicts = ("approved", "withdrawn") * 2
    run_together(*(partial(decide, price.pk, verdict) for verdict in verdicts))
    price.refresh_from_db()
    decisions = AuditEntry.objects.filter(subject="price:basic/tokens/1").exclude(action="version_proposed")
    assert [entry.action for entry in decisions] == [f"version_{price.status}"]
