"""The searches for broken agreements find what guards should have kept out."""

from datetime import datetime

import pgtrigger
import pytest
from django.utils import timezone

from core import invariants
from invoicing.pricing.invariants import INVARIANTS
from invoicing.pricing.models import PriceVersion, Subscription, SubscriptionPhase
from tests.builders import agreements
from tests.builders.agreements import START, day
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
READABLE, TILED, ONCE, APART = (invariant.name for invariant in INVARIANTS)


def offended() -> set[str]:
    return {finding.invariant.name for finding in invariants.check_all(INVARIANTS) if finding.offenders}


def phase(subscription: Subscription, *, starts_at: datetime, ends_at: datetime | None) -> None:
    SubscriptionPhase.objects.create(
        subscription=subscription,
        plan=subscription.phases.all()[0].plan,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=timezone.now(),
    )


@pytest.fixture
def subscription() -> Subscription:
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter())
    return agreements.start(agreements.customer(), plan)


def test_sound_agreements_offend_nothing(subscription: Subscription) -> None:
    assert offended() == set()


def test_a_price_that_cannot_be_read_is_found(subscription: Subscription) -> None:
    with pgtrigger.ignore("pricing.PriceVersion:content_is_fixed", "pricing.PriceVersion:decided_once"):
        PriceVersion.objects.update(params={"unit_amount": 0.5})
    assert offended() == {READABLE}


@pytest.mark.parametrize(("ends_at", "next_at"), [(day(20), day(21)), (day(20), None)])
def test_a_gap_between_plans_is_found(subscription: Subscription, ends_at: datetime, next_at: datetime | None) -> None:
    with pgtrigger.ignore("pricing.Subscription:phases_tile", "pricing.SubscriptionPhase:phases_tile"):
        subscription.phases.update(ends_at=ends_at)
        if next_at is not None:
            phase(subscription, starts_at=next_at, ends_at=None)
        assert offended() == {TILED}
        subscription.phases.filter(starts_at=START).update(ends_at=next_at)
        assert offended() == set()


def test_a_subscription_without_a_plan_is_found(subscription: Subscription) -> None:
    with pgtrigger.ignore("pricing.SubscriptionPhase:no_delete"):
        kept = subscription.phases.get()
        kept.delete()
    assert offended() == {TILED}
    kept.save(force_insert=True)  # for the guard that asks at the end


def test_usage_that_is_priced_twice_is_found(subscription: Subscription) -> None:
    plan = subscription.phases.get().plan
    other = Subscription.objects.create(
        customer=subscription.customer,
        anchor_date=START.date(),
        time_zone="UTC",
        starts_at=day(90),
        created_at=timezone.now(),
    )
    SubscriptionPhase.objects.create(subscription=other, plan=plan, starts_at=day(90), created_at=timezone.now())
    assert offended() == {ONCE}


OWN_PRICE = """
    ALTER TABLE pricing_priceversion DROP CONSTRAINT pricing_price_two_persons;
    UPDATE pricing_priceversion SET decided_by_id = created_by_id;
"""
OWN_PLAN = """
    ALTER TABLE pricing_planversion DROP CONSTRAINT pricing_planversion_two_persons;
    UPDATE pricing_planversion SET decided_by_id = created_by_id;
"""


@pytest.mark.parametrize("planted", [OWN_PRICE, OWN_PLAN])
def test_a_version_that_its_author_approved_is_found(subscription: Subscription, planted: str) -> None:
    tamper(planted)
    assert offended() == {APART}
