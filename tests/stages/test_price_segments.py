"""Due periods are cut where plan or price changes, in the zone of the subscription, with a fixed number of queries."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.periods import Period
from invoicing.pricing import queries, segments, subscribe
from invoicing.pricing.models import Plan, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from tests.builders import agreements
from tests.builders.agreements import FEBRUARY, JANUARY, START, day

pytestmark = pytest.mark.django_db


def due(as_of: datetime, **options: Any) -> list[Period]:
    return [each.period for each in queries.due_periods(as_of=as_of, **options)]


def cut(subscription: Subscription, *periods: Period) -> list[PriceSegment]:
    return segments.price_segments([DuePeriod(subscription.pk, subscription.customer_id, period) for period in periods])


def bounds(found: list[PriceSegment], charge: str, of: Plan) -> list[tuple[datetime, datetime]]:
    charge_id = of.charges.get(code=charge).pk
    return [(each.start, each.end) for each in found if each.charge_id == charge_id]


def change(subscription: Subscription, to: Plan, at: datetime) -> None:
    subscribe.change_plan(subscription=subscription, plan=to, effective_at=at, actor=None, at=START)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_period_that_is_over_is_due() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan(), since=day(10.5), anchor_date=START.date())
    assert due(day(32)) == [Period(day(10.5), day(32))]
    assert due(day(59.9)) == [Period(day(10.5), day(32))]
    assert due(day(60)) == [Period(day(10.5), day(32)), FEBRUARY]
    assert [each.subscription_id for each in queries.due_periods(as_of=day(60))] == [subscription.pk] * 2


def test_a_month_is_over_when_it_is_over_where_the_customer_is() -> None:
    agreements.start(
        agreements.customer("ny", time_zone="America/New_York"), agreements.plan(), since=utc("2026-01-01T05:00")
    )
    agreements.start(
        agreements.customer("tokyo", time_zone="Asia/Tokyo"), agreements.plan("asia"), since=utc("2025-12-31T15:00")
    )
    assert due(utc("2026-02-01T00:00"), customer_codes=["ny"]) == []
    assert due(utc("2026-02-01T05:00"), customer_codes=["ny"]) == [
        Period(utc("2026-01-01T05:00"), utc("2026-02-01T05:00"))
    ]
    assert due(utc("2026-02-01T00:00"), customer_codes=["tokyo"])[0].end == utc("2026-01-31T15:00")


def test_a_month_with_a_change_of_clocks_keeps_local_midnights() -> None:
    agreements.start(agreements.customer(time_zone="Europe/Berlin"), agreements.plan(), since=utc("2026-02-28T23:00"))
    assert due(utc("2026-05-01T00:00")) == [
        Period(utc("2026-02-28T23:00"), utc("2026-03-31T22:00")),  # an hour short
        Period(utc("2026-03-31T22:00"), utc("2026-04-30T22:00")),
    ]


@pytest.mark.parametrize(
    ("interval", "anchor", "expected"),
    [
        ("month", date(2025, 12, 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("year", date(2024, 2, 29), ["2026-02-28", "2027-02-28", "2028-02-29"]),
        ("week", date(2025, 12, 29), ["2026-01-05", "2026-01-12"]),
    ],
)
def test_periods_count_from_the_anchor_date(interval: str, anchor: date, expected: list[str]) -> None:
    agreements.start(agreements.customer(), agreements.plan(interval=interval), anchor_date=anchor)
    ends = [utc(text) for text in expected]
    assert [period.end for period in due(ends[-1])] == ends


def test_a_plan_may_bill_every_thirty_days() -> None:
    plan = agreements.plan(interval="day", interval_count=30)
    agreements.start(agreements.customer(time_zone="Europe/Berlin"), plan, since=utc("2025-12-31T23:00"))
    assert due(utc("2026-04-01T00:00")) == [
        Period(utc("2025-12-31T23:00"), utc("2026-01-30T23:00")),
        Period(utc("2026-01-30T23:00"), utc("2026-03-01T23:00")),
        Period(utc("2026-03-01T23:00"), utc("2026-03-31T22:00")),  # an hour short
    ]


def test_only_named_customers_are_asked_for() -> None:
    plan = agreements.plan()
    agreements.start(agreements.customer("a"), plan)
    other = agreements.start(agreements.customer("b"), plan)
    assert [each.customer_id for each in queries.due_periods(as_of=day(32), customer_codes=["b", "x"])] == [
        other.customer_id
    ]
    assert due(day(32), customer_codes=[]) == []


def test_an_ended_subscription_owes_its_last_short_period_once() -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan())
    subscribe.end_subscription(subscription=subscription, ends_at=day(40.5), actor=None, at=START)
    assert due(day(40)) == [JANUARY]
    assert due(day(400)) == [JANUARY, Period(day(32), day(40.5))]


def test_a_period_without_change_is_one_segment_per_charge() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    price, fee = agreements.set_price(plan, meter=meter), agreements.fee(plan)
    subscription = agreements.start(agreements.customer(), plan)
    found = cut(subscription, JANUARY)
    assert found == [
        PriceSegment(
            subscription_id=subscription.pk,
            customer_id=subscription.customer_id,
            period=JANUARY,
            charge_id=version.charge_id,
            plan_id=plan.pk,
            meter_id=meter_id,
            plan_version_id=plan.versions.get().pk,
            price_version_id=version.pk,
            start=JANUARY.start,
            end=JANUARY.end,
            whole=JANUARY,
            ends_at=None,
            zone="UTC",
            proration_unit="second",
            proration_zone="UTC",
        )
        for version, meter_id in [(price, meter.pk), (fee, None)]
    ]


def test_a_change_of_plan_splits_usage_and_fees_at_its_instant() -> None:
    meter = agreements.meter()
    basic, pro = agreements.plan(), agreements.plan("pro")
    for plan in (basic, pro):
        agreements.set_price(plan, meter=meter)
        agreements.fee(plan)
    subscription = agreements.start(agreements.customer(), basic)
    change(subscription, pro, day(15.25))
    found = cut(subscription, JANUARY)
    for charge in ("tokens", "base"):
        assert bounds(found, charge, basic) == [(day(1), day(15.25))]
        assert bounds(found, charge, pro) == [(day(15.25), day(32))]


def test_a_change_of_price_splits_only_its_own_charge() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    agreements.set_price(plan, meter=meter)
    later = agreements.set_price(plan, meter=meter, effective_at=day(20))
    agreements.fee(plan)
    found = cut(agreements.start(agreements.customer(), plan), JANUARY, FEBRUARY)
    assert bounds(found, "tokens", plan) == [(day(1), day(20)), (day(20), day(32)), (day(32), day(60))]
    assert bounds(found, "base", plan) == [(day(1), day(32)), (day(32), day(60))]
    assert [each.price_version_id for each in found if each.meter_id][1:] == [later.pk, later.pk]


def test_changes_on_the_edge_of_a_period_make_no_empty_segment() -> None:
    plan, pro, meter = agreements.plan(), agreements.plan("pro"), agreements.meter()
    agreements.set_price(plan, meter=meter)
    agreements.set_price(pro, meter=meter)
    agreements.set_price(pro, meter=meter, effective_at=day(32))
    subscription = agreements.start(agreements.customer(), plan)
    change(subscription, pro, day(32))
    found = cut(subscription, JANUARY, FEBRUARY)
    assert [(each.plan_id, each.start, each.end) for each in found] == [
        (plan.pk, day(1), day(32)),
        (pro.pk, day(32), day(60)),
    ]


def test_two_changes_of_plan_and_one_of_price_in_one_period() -> None:
    meter = agreements.meter()
    plans = [agreements.plan(code) for code in ("a", "b", "c")]
    for plan in plans:
        agreements.set_price(plan, meter=meter)
    agreements.set_price(plans[1], meter=meter, effective_at=day(12))
    subscription = agreements.start(agreements.customer(), plans[0], since=day(3))
    change(subscription, plans[1], day(10))
    change(subscription, plans[2], day(20))
    found = cut(subscription, Period(day(3), day(32)))
    assert [(each.start, each.end) for each in found] == [
        (day(3), day(10)),
        (day(10), day(12)),
        (day(12), day(20)),
        (day(20), day(32)),
    ]
    assert all(before.end == after.start for before, after in pairwise(found))
    assert len({each.price_version_id for each in found}) == 4


def test_a_price_that_was_replaced_before_it_began_prices_nothing() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    agreements.set_price(plan, meter=meter)
    agreements.set_price(plan, meter=meter, effective_at=day(10))
    right = agreements.set_price(plan, meter=meter, effective_at=day(10))
    found = cut(agreements.start(agreements.customer(), plan), JANUARY)
    assert [each.price_version_id for each in found][1] == right.pk
    assert len(found) == 2


def test_usage_before_the_first_price_has_no_segment() -> None:
    plan, meter = agreements.plan(), agreements.meter()
    agreements.set_price(plan, meter=meter, effective_at=day(20))
    found = cut(agreements.start(agreements.customer(), plan), JANUARY)
    assert [(each.start, each.end) for each in found] == [(day(20), day(32))]


def test_a_short_period_knows_the_whole_one_around_it() -> None:
    plan = agreements.plan()
    agreements.fee(plan)
    subscription = agreements.start(agreements.customer(), plan, since=day(10), anchor_date=START.date())
    subscribe.end_subscription(subscription=subscription, ends_at=day(40), actor=None, at=START)
    found = segments.price_segments(queries.due_periods(as_of=day(400)))
    assert [(each.period, each.whole) for each in found] == [
        (Period(day(10), day(32)), JANUARY),
        (Period(day(32), day(40)), FEBRUARY),
    ]


def test_the_number_of_queries_does_not_grow_with_customers() -> None:
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter())
    agreements.fee(plan)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert segments.price_segments(queries.due_periods(as_of=day(400)))
        return len(captured)

    agreements.start(agreements.customer("first"), plan)
    once = count()
    for number in range(20):
        agreements.start(agreements.customer(f"c{number}"), plan)
    assert count() == once == 9
