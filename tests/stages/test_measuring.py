"""The SQL of every aggregation against the rule in Python, and against figures that were worked out by hand."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering import aggregate, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter
from metering.rules import aggregation, filters
from metering.rules.aggregation import Observation
from tests.builders import usage

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
CLOSING = datetime(2026, 5, 1, 6, tzinfo=UTC)
PARIS = "Europe/Paris"  # clocks change on 29 March 2026
SCHEMA = {
    "type": "object",
    "properties": {name: {} for name in ("seats", "user", "operation", "plan", "paid", "output_tokens")},
}


@pytest.fixture(autouse=True)
def contract() -> None:
    usage.customer()
    usage.contract(schema=SCHEMA, billing_fields=["seats", "user", "operation"])


def send(event_id: str, at: datetime, **data: Any) -> None:
    whole = {"seats": 0, "user": "ada", "operation": "add"} | data
    sent = usage.event(event_id, time=at.isoformat(), data=whole)
    assert usage.capture(sent, at=CLOSING).accepted == 1


def window(code: str, start: datetime = MARCH, end: datetime = APRIL, **place: Any) -> UsageWindow:
    return UsageWindow(usage.customer().pk, Meter.objects.get(code=code).pk, start, end, **place)


def take(*windows: UsageWindow) -> list[AggregationSnapshot]:
    return aggregate.take_snapshots(windows, watermark=watermark.fix_watermark(at=CLOSING), at=CLOSING)


def recounted(snapshots: list[AggregationSnapshot]) -> list[Decimal]:
    again = queries.recount(snapshots)
    assert [again[one.pk].digest for one in snapshots] == [one.digest for one in snapshots]
    assert [again[one.pk].event_count for one in snapshots] == [one.event_count for one in snapshots]
    return [again[one.pk].quantity for one in snapshots]


def by_the_rule(snapshot: AggregationSnapshot) -> Decimal:
    """Measure the events of a snapshot one by one."""
    reading = snapshot.meter_version.as_reading()
    seen = [
        Observation(
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            event_id=row.event_id,
            source=row.source,
            value=row.value,
            operation=row.operation,
        )
        for row in queries.iterate_snapshot_events(snapshot)
    ]
    return aggregation.measure(seen, reading=reading, span=snapshot.window.span).quantity


LEVELS = {"is_recurring": True}
HELD = {"value_property": "user", "operation_property": "operation"}
KINDS: dict[str, dict[str, Any]] = {
    "sum": {"aggregation": "sum"},
    "level": {"aggregation": "sum", **LEVELS},
    "count": {"aggregation": "count", "value_property": ""},
    "max": {"aggregation": "max"},
    "min": {"aggregation": "min"},
    "average": {"aggregation": "average", "decimals": 6, "rounding": "half_even"},
    "last": {"aggregation": "last"},
    "first-received": {"aggregation": "last", "tie_break": "first_received"},
    "never-negative": {"aggregation": "sum", "negative_total": "zero"},
    "users": {"aggregation": "unique_count", "value_property": "user"},
    "users-ever": {"aggregation": "unique_count", "value_property": "user", **LEVELS},
    "held": {"aggregation": "unique_count", **HELD, **LEVELS},
    "held-in-window": {"aggregation": "unique_count", **HELD},
    "weighted": {"aggregation": "time_weighted_sum", **LEVELS},
    "weighted-in-window": {"aggregation": "time_weighted_sum", "decimals": 5},
    "prorated": {"aggregation": "prorated_sum", "decimals": 5, "rounding": "ceiling"},
    "prorated-users": {"aggregation": "prorated_unique_count", **HELD, "decimals": 5, "rounding": "ceiling"},
    "some": {"aggregation": "sum", "filters": [{"property": "plan", "operator": "in", "values": ["pro", "team"]}]},
    "large": {
        "aggregation": "count",
        "value_property": "",
        "filters": [
            {"property": "seats", "operator": "range", "from": -1, "below": "3.5"},
            {"property": "paid", "operator": "equals", "value": True},
        ],
    },
    "threes": {
        "aggregation": "count",
        "value_property": "",
        "filters": [{"property": "seats", "operator": "in", "values": [3, Decimal("0.5")]}],
    },
}


def make_meters() -> None:
    for code, measure in KINDS.items():
        usage.meter(code, **{"value_property": "seats", **measure})


def random_events(seed: int) -> Iterator[dict[str, Any]]:
    """Ties, repeats, removals of what is not held, texts for numbers, and properties that are not there."""
    dice = random.Random(seed)  # noqa: S311  a repeatable world
    for number in range(60):
        day = MARCH - timedelta(days=20) + timedelta(hours=dice.randrange(0, 24 * 60), minutes=dice.choice((0, 30)))
        seats = dice.choice([3, -2, "0.5", 7, Decimal("2.25"), -4, "3", 3])
        extra = {"plan": dice.choice(["pro", "team", "free", 1])} if dice.random() < 0.8 else {}
        paid = {"paid": dice.choice([True, False, "true"])} if dice.random() < 0.8 else {}
        yield {
            "event_id": f"e{number}",
            "at": day,
            "seats": seats,
            "user": dice.choice(["ada", "bob", 7, "7", "eve"]),
            "operation": dice.choice(["add", "add", "remove", "other"]),
            **extra,
            **paid,
        }


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_sql_recount_and_rule_agree_on_every_kind(seed: int) -> None:
    make_meters()
    for event in random_events(seed):
        send(**event)
    period = (MARCH, APRIL)
    middle = datetime(2026, 3, 17, 11, tzinfo=UTC)
    windows = [
        window(code, start, end, period=period, zone=PARIS)
        for code in KINDS
        for start, end in ((MARCH, middle), (middle, APRIL))
    ]
    snapshots = take(*windows)
    found = {(one.meter.code, one.window_start.day): one.quantity for one in snapshots}
    ruled = {(one.meter.code, one.window_start.day): by_the_rule(one) for one in snapshots}
    again = dict(zip(found, recounted(snapshots), strict=True))
    assert found == ruled
    assert found == again


def test_a_filter_leaves_out_the_same_events_in_sql_as_by_the_rule() -> None:
    make_meters()
    for event in random_events(5):
        send(**event)
    for snapshot in take(*(window(code, MARCH - timedelta(days=30), MAY) for code in ("some", "large", "threes"))):
        conditions = snapshot.meter_version.as_reading().filters
        counted = {row.event_id for row in queries.snapshot_events(snapshot, limit=1000)}
        everything = window("count", MARCH - timedelta(days=30), MAY)
        (whole,) = take(replace(everything))
        rows = queries.snapshot_events(whole, limit=1000)
        assert counted == {row.event_id for row in rows if filters.matches(conditions, row.data)}
        assert counted


def test_seats_of_a_part_of_a_period_weigh_their_part() -> None:
    usage.meter("seats", aggregation="prorated_sum", value_property="seats", decimals=5, rounding="ceiling")
    send("a", datetime(2026, 2, 1, tzinfo=UTC), seats=5)
    send("b", datetime(2026, 3, 26, tzinfo=UTC), seats=24)
    middle = datetime(2026, 3, 11, tzinfo=UTC)
    period = (MARCH, APRIL)
    whole, *parts = take(
        window("seats"),
        window("seats", APRIL, APRIL + timedelta(days=10), period=(APRIL, MAY)),
        window("seats", APRIL + timedelta(days=10), MAY, period=(APRIL, MAY)),
    )
    assert whole.quantity == Decimal("9.64517")  # 5 + 24 × 6/31, up: Lago prorated sum_service_spec
    assert [part.quantity for part in parts] == [Decimal("9.66667"), Decimal("19.33334")]  # 29 × 10/30, 29 × 20/30
    assert middle < period[1]


def test_a_removal_counts_its_day_and_what_is_added_again_counts_once() -> None:
    usage.meter("users", aggregation="prorated_unique_count", **HELD, decimals=18, rounding="floor")
    day = datetime(2026, 3, 10, 9, tzinfo=UTC)
    send("a", day, operation="add")
    send("b", day + timedelta(days=2), operation="remove")
    send("c", day + timedelta(days=2, hours=1), operation="add")
    send("d", day + timedelta(days=3), operation="remove")
    (snapshot,) = take(window("users", zone="UTC"))
    assert snapshot.quantity * 31 == pytest.approx(Decimal(4))  # 10 to 13 March


def test_days_are_those_of_the_zone() -> None:
    usage.meter("seats", aggregation="prorated_sum", value_property="seats", decimals=5, rounding="half_up")
    start, end = datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    send("a", datetime(2026, 3, 30, 22, 30, tzinfo=UTC), seats=31)  # 31 March in Paris
    (snapshot,) = take(window("seats", start, end, zone=PARIS))
    assert (snapshot.quantity, recounted([snapshot])) == (1, [1])


def test_an_earlier_event_of_a_level_is_in_the_count_and_the_trace_and_may_be_late() -> None:
    usage.meter("level", aggregation="sum", value_property="seats", is_recurring=True)
    send("old", datetime(2025, 6, 1, tzinfo=UTC), seats=5)
    (snapshot,) = take(window("level"))
    assert (snapshot.quantity, snapshot.event_count) == (5, 1)
    assert [row.event_id for row in queries.snapshot_events(snapshot)] == ["old"]
    send("older", datetime(2025, 5, 1, tzinfo=UTC), seats=2)
    assert [(late.snapshot_id, late.event_count) for late in queries.late_windows()] == [(snapshot.pk, 1)]


def test_live_totals_show_a_level_by_day_and_an_average() -> None:
    usage.meter("level", aggregation="sum", value_property="seats", is_recurring=True)
    usage.meter("mean", aggregation="average", value_property="seats", decimals=2)
    send("a", datetime(2026, 3, 1, 1, tzinfo=UTC), seats=5)
    send("b", datetime(2026, 3, 2, 1, tzinfo=UTC), seats=2)

    def live(code: str) -> list[Decimal]:
        found = queries.live_usage(
            customer_id=usage.customer().pk,
            meter=Meter.objects.get(code=code),
            start=MARCH,
            end=datetime(2026, 3, 4, tzinfo=UTC),
            window="day",
        )
        return [row.quantity for row in found.rows]

    assert live("level") == [5, 7, 7]
    assert live("mean") == [5, 2]


@pytest.mark.parametrize("customers", [1, 5])
def test_statements_do_not_grow_with_windows(customers: int) -> None:
    make_meters()
    codes = [f"c{number}" for number in range(customers)]
    for code in codes:
        usage.customer(code)
    meters = list(Meter.objects.values_list("pk", flat=True))
    windows = [
        UsageWindow(usage.customer(code).pk, meter, MARCH + timedelta(days=day), MARCH + timedelta(days=day + 1))
        for code in codes
        for meter in meters
        for day in range(customers)
    ]
    mark = watermark.fix_watermark(at=CLOSING)
    with CaptureQueriesContext(
        connection,
    ) as counted:
        snapshots = aggregate.take_snapshots(windows, watermark=mark, at=CLOSING)
    with CaptureQueriesContext(connection) as again:
        queries.recount(snapshots)
    # One contract, looked at twice (levels apart) for all totals, and a statement per kind that is more than a total:
    # last, unique and held of the window; sum is a total, so of the levels these six remain.
    measuring = [each["sql"] for each in counted if "FROM measured_window w" in each["sql"]]
    assert len(measuring) == 2 + 3 + 6
    # Nine prepare (versions, lock, store, savepoint, staged snapshots and their bounds); one look, four families more.
    assert len(again) == 9 + 1 + 4
