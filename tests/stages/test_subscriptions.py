"""Customers start, change and end plans; the plans of a subscription follow each other without a gap."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from core import audit
from core.errors import DomainError
from core.models import AuditEntry
from invoicing.pricing import plans, subscribe
from invoicing.pricing.models import Plan, Subscription, SubscriptionPhase
from tests.builders import agreements, guards
from tests.builders.agreements import START, day

pytestmark = pytest.mark.django_db
MOMENT = timedelta(microseconds=1)
MIDDLE = day(15)


def change(subscription: Subscription, to: Plan, *, effective_at: datetime = MIDDLE) -> SubscriptionPhase:
    return subscribe.change_plan(subscription=subscription, plan=to, effective_at=effective_at, actor=None, at=START)


def end(subscription: Subscription, ends_at: datetime, *, at: datetime = START) -> Subscription:
    return subscribe.end_subscription(subscription=subscription, ends_at=ends_at, actor=None, at=at)


def phases(subscription: Subscription) -> list[tuple[str, datetime, datetime | None]]:
    found = subscription.phases.order_by("starts_at").values_list("plan__code", "starts_at", "ends_at")
    return list(found)


def test_a_subscription_counts_from_the_local_day_it_starts() -> None:
    who = agreements.customer(time_zone="America/New_York")
    subscription = agreements.start(who, agreements.plan(), since=datetime.fromisoformat("2026-02-01T03:00:00Z"))
    assert subscription.anchor_date == date(2026, 1, 31)
    assert subscription.time_zone == "America/New_York"
    assert phases(subscription) == [("basic", subscription.starts_at, None)]


def test_periods_stay_where_they_are_when_the_customer_moves() -> None:
    who = agreements.customer(time_zone="Europe/Berlin")
    subscription = agreements.start(who, agreements.plan())
    who.time_zone = "Asia/Tokyo"
    who.save()
    subscription.refresh_from_db()
    assert subscription.time_zone == "Europe/Berlin"
    assert guards.refuses("UPDATE pricing_subscription SET time_zone = 'Asia/Tokyo'")


def test_every_agreement_is_in_the_audit_chain() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    change(subscription, agreements.plan("pro"))
    end(subscription, day(40))
    about_it = AuditEntry.objects.filter(subject=f"subscription:{subscription.pk}").order_by("id")
    assert [entry.action for entry in about_it] == ["subscription_started", "plan_changed", "subscription_ended"]
    assert audit.find_first_broken_entry() is None


def test_the_plan_must_be_in_the_customers_currency() -> None:
    with pytest.raises(subscribe.PlanMismatchError, match="Choose a plan in EUR") as refusal:
        agreements.start(agreements.customer(), agreements.plan(currency="USD"))
    assert refusal.value.pointer == "/plan"


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"since": START.replace(year=1999)}, "/starts_at"),
        ({"since": START.replace(tzinfo=None)}, "/starts_at"),
        ({"anchor_date": date(1, 1, 1)}, "/anchor_date"),
    ],
)
def test_an_instant_that_nobody_means_is_refused(terms: dict[str, Any], pointer: str) -> None:
    with pytest.raises(DomainError) as refusal:
        agreements.start(agreements.customer(), agreements.plan(), **terms)
    assert refusal.value.pointer == pointer


def test_a_change_of_plan_ends_one_phase_and_begins_the_next() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    change(subscription, agreements.plan("pro"))
    change(subscription, agreements.plan("max"), effective_at=day(15) + MOMENT)
    assert phases(subscription) == [
        ("basic", day(1), day(15)),
        ("pro", day(15), day(15) + MOMENT),
        ("max", day(15) + MOMENT, None),
    ]


@pytest.mark.parametrize("effective_at", [START, START - MOMENT])
def test_a_change_must_come_after_the_start(effective_at: datetime) -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    with pytest.raises(subscribe.NotInForceError, match="must come after it"):
        change(subscription, agreements.plan("pro"), effective_at=effective_at)


def test_a_change_must_come_after_every_other_that_is_agreed() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    change(subscription, agreements.plan("pro"), effective_at=day(40))
    with pytest.raises(subscribe.NotInForceError, match="begins at 2026-02-09"):
        change(subscription, agreements.plan("max"), effective_at=day(20))


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"currency": "USD"}, "is in USD"),
        ({"interval": "year"}, "End it at the end of a period"),
        ({"interval_count": 2}, "bills by 2 months"),
    ],
)
def test_a_change_keeps_currency_and_interval(terms: dict[str, Any], words: str) -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    with pytest.raises(subscribe.PlanMismatchError, match=words):
        change(subscription, agreements.plan("pro", **terms))


def test_a_change_to_the_plan_it_is_on_is_no_change() -> None:
    plan = agreements.plan()
    with pytest.raises(subscribe.PlanMismatchError, match="already"):
        change(agreements.start(agreements.customer(), plan), plan)


def test_an_end_that_is_ahead_may_be_moved_and_one_that_has_come_may_not() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    end(subscription, day(60))
    end(subscription, day(70))
    assert end(subscription, day(50)).ends_at == day(50)
    assert phases(subscription) == [("basic", day(1), day(50))]
    with pytest.raises(subscribe.NotInForceError, match="ended at 2026-02-19"):
        end(subscription, day(80), at=day(50))


def test_an_end_must_come_after_the_last_change() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    change(subscription, agreements.plan("pro"), effective_at=day(20))
    for ends_at in (day(20), day(10), day(1)):
        with pytest.raises(subscribe.NotInForceError, match="after the last change"):
            end(subscription, ends_at)


def test_nothing_changes_after_the_end() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    end(subscription, day(50))
    pro = agreements.plan("pro")
    with pytest.raises(subscribe.NotInForceError, match="before this change"):
        change(subscription, pro, effective_at=day(50))
    assert change(subscription, pro, effective_at=day(40)).ends_at == day(50)


def metered(code: str, meter: Any) -> Plan:
    made = agreements.plan(code)
    agreements.set_price(made, meter=meter)
    return made


def test_two_subscriptions_do_not_price_the_same_usage() -> None:
    who, meter = agreements.customer(), agreements.meter()
    first = agreements.start(who, metered("one", meter))
    other = metered("two", meter)
    with pytest.raises(subscribe.MeterPricedTwiceError, match="prices tokens"):
        agreements.start(who, other, since=day(90))
    end(first, day(50))
    with pytest.raises(subscribe.MeterPricedTwiceError):
        agreements.start(who, other, since=day(50) - MOMENT)
    assert agreements.start(who, other, since=day(50)).pk


def test_an_end_is_not_moved_over_the_next_subscription() -> None:
    who, meter = agreements.customer(), agreements.meter()
    first = agreements.start(who, metered("one", meter))
    end(first, day(50))
    agreements.start(who, metered("two", meter), since=day(60))
    assert end(first, day(60)).ends_at == day(60)
    with pytest.raises(subscribe.MeterPricedTwiceError):
        end(first, day(61))


def test_a_change_of_plan_does_not_bring_in_a_meter_that_is_paid_elsewhere() -> None:
    who, meter = agreements.customer(), agreements.meter()
    agreements.start(who, metered("one", meter))
    base = agreements.start(who, agreements.plan("base"))
    with pytest.raises(subscribe.MeterPricedTwiceError):
        change(base, metered("two", meter))


def test_a_plan_may_not_start_to_charge_for_what_its_customers_pay_elsewhere() -> None:
    who, meter = agreements.customer(), agreements.meter()
    agreements.start(who, metered("one", meter))
    base = agreements.plan("base")
    agreements.start(who, base)
    with pytest.raises(subscribe.MeterPricedTwiceError):
        plans.add_charge(plan=base, code="use", name="Use", meter=meter)


def test_different_customers_and_different_meters_do_not_meet() -> None:
    meter = agreements.meter()
    shared = metered("one", meter)
    agreements.start(agreements.customer("a"), shared)
    both = agreements.customer("b")
    agreements.start(both, shared)
    assert agreements.start(both, metered("two", agreements.meter("storage"))).pk


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE pricing_subscriptionphase SET ends_at = '2026-01-20'",  # a gap before the end
        "UPDATE pricing_subscription SET ends_at = '2026-05-01'",  # an end that the last phase does not have
        "UPDATE pricing_subscriptionphase SET plan_id = (SELECT id FROM pricing_plan WHERE code = 'yearly')",
        "UPDATE pricing_subscription SET starts_at = '2025-12-01'",
        (
            "INSERT INTO pricing_subscription (customer_id, anchor_date, time_zone, starts_at, created_at) "
            "SELECT customer_id, anchor_date, time_zone, starts_at, now() FROM pricing_subscription"
        ),  # without a plan
        (
            "INSERT INTO pricing_subscriptionphase (subscription_id, plan_id, starts_at, created_at) "
            "SELECT subscription_id, plan_id, '2026-03-01', now() FROM pricing_subscriptionphase"
        ),  # two at once
    ],
)
def test_phases_that_do_not_tile_their_subscription_cannot_be_committed(sql: str) -> None:
    agreements.start(agreements.customer(), agreements.plan())
    agreements.plan("yearly", interval="year")
    assert guards.refuses(sql)


def test_a_second_phase_of_another_interval_cannot_be_committed() -> None:
    agreements.start(agreements.customer(), agreements.plan())
    agreements.plan("yearly", interval="year")
    agreements.plan("pro")
    change_to = (
        "WITH shortened AS (UPDATE pricing_subscriptionphase SET ends_at = '2026-01-20' RETURNING subscription_id) "
        "INSERT INTO pricing_subscriptionphase (subscription_id, plan_id, starts_at, created_at) "
        "SELECT subscription_id, (SELECT id FROM pricing_plan WHERE code = 'yearly'), '2026-01-20', now() "
        "FROM shortened"
    )
    assert guards.refuses(change_to)
    assert not guards.refuses(change_to.replace("yearly", "pro"))
