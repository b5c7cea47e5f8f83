"""What windows come to by sums is what a count of the same events gives, split as prices split them."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import periods
from invoicing.pricing.rules.params import PercentageParams
from invoicing.rating import breakdowns
from invoicing.rating.rules import percentage
from invoicing.rating.rules.steps import total
from metering import aggregate, queries, rollups, summed_stretches, sums
from metering.models import Meter, OrderedMinute, RollupSeries, UsageRollup
from metering.rules.parts import FreePart, PartsBy, Split, UsagePart
from metering.rules.summed import Adding, Question
from metering.rules.windows import UsageWindow
from metering.store import rolled_windows
from metering.sums import Summed, SumWindow
from tests.builders import usage

pytestmark = pytest.mark.django_db
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
SEATS = {
    "type": "object",
    "properties": {"seat": {"type": ["string", "number"]}, "action": {"type": ["string", "number"]}},
    "required": ["seat", "action"],
}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def send(event_id: str, value: Any = 3, at: str = "2026-03-02T11:00:00Z", **data: Any) -> None:
    result = usage.capture(
        usage.event(event_id, time=at, data={"input_tokens": value, "output_tokens": 2, **data}), at=NOW
    )
    assert result.accepted == 1, result


def cancel(event_id: str) -> None:
    facts = {"corrects": event_id, "correction": "cancel"}
    assert usage.capture(usage.event(f"not {event_id}", **facts, data={}), at=NOW).accepted == 1


def ask(
    *, code: str = "input-tokens", start: datetime = MARCH, end: datetime = APRIL, split: Split | None = None
) -> Summed | None:
    meter = Meter.objects.get(code=code)
    (found,) = sums.sum_windows([SumWindow(UsageWindow(usage.customer().pk, meter.pk, start, end), split)])
    return found


def sure(found: Summed | None) -> Summed:
    assert found is not None
    return found


def test_a_window_comes_to_the_sum_of_its_events() -> None:
    send("a", 3)
    send("b", 4, at="2026-03-31T23:59:59Z")
    send("c", 100, at="2026-04-01T00:00:00Z")
    rollups.roll_up()
    found = sure(ask())
    assert (found.quantity, found.event_count, found.parts, found.is_behind) == (7, 2, (), False)


def test_an_hour_that_is_cut_is_read_from_its_own_events_up_to_the_same_watermark() -> None:
    send("a", 3, at="2026-03-02T11:10:00Z")
    send("b", 4, at="2026-03-02T11:40:00Z")
    rollups.roll_up()
    send("c", 5, at="2026-03-02T11:50:00Z")  # not in the sums yet, so in no end either
    assert sure(ask(start=datetime(2026, 3, 2, 11, 30, tzinfo=UTC))).quantity == 4


def test_a_split_that_the_meter_does_not_keep_apart_is_caught_up_in_the_next_round() -> None:
    send("a", 3, model="small")
    send("b", 4, model="large")
    send("c", 5)
    rollups.roll_up()
    split = Split(by=PartsBy.COMBINATION, properties=("model",))
    assert sure(ask(split=split)).is_behind
    rollups.roll_up()
    found = sure(ask(split=split))
    assert not found.is_behind
    assert found.quantity == 12
    assert sorted(found.parts, key=lambda part: part.quantity) == [
        UsagePart(Decimal(3), 1, (("model", "small"),)),
        UsagePart(Decimal(4), 1, (("model", "large"),)),
        UsagePart(Decimal(5), 1, ()),
    ]


def test_amounts_that_events_carry_are_summed_beside_the_value() -> None:
    send("a", 3, model="small", price="0.50")
    send("b", 4, model="small", price="0.25")
    send("c", 5, model="large")
    split = Split(by=PartsBy.COMBINATION, properties=("model",), amount_property="price")
    ask(split=split)
    rollups.roll_up()
    parts = {part.properties: (part.quantity, part.events, part.amount) for part in sure(ask(split=split)).parts}
    assert parts == {(("model", "small"),): (7, 2, Decimal("0.75")), (("model", "large"),): (5, 1, None)}


def test_days_are_parts_by_the_midnights_of_the_zone() -> None:
    send("a", 3, at="2026-03-02T22:59:00Z")
    send("b", 4, at="2026-03-02T23:00:00Z")  # midnight in Berlin
    rollups.roll_up()
    found = sure(ask(split=Split(by=PartsBy.BUCKET, bucket="day", zone="Europe/Berlin")))
    assert [(part.quantity, part.bucket) for part in found.parts] == [
        (3, datetime(2026, 3, 1, 23, tzinfo=UTC)),
        (4, datetime(2026, 3, 2, 23, tzinfo=UTC)),
    ]


def test_what_sums_cannot_split_they_do_not_guess() -> None:
    assert ask(split=Split(by=PartsBy.EVENT)) is None


def settled(**asked: Any) -> Summed:
    """What sums say once those that were asked for are there."""
    ask(**asked)
    rollups.roll_up()
    found = sure(ask(**asked))
    assert not found.is_behind
    return found


def test_midnights_between_the_hours_of_utc_and_minutes_have_sums_by_the_minute() -> None:
    send("a", 3, at="2026-03-02T18:29:59Z")
    send("b", 4, at="2026-03-02T18:30:00Z")  # midnight in Kolkata
    by_day = settled(split=Split(by=PartsBy.BUCKET, bucket="day", zone="Asia/Kolkata"))
    assert [(part.quantity, part.bucket) for part in by_day.parts] == [
        (3, datetime(2026, 3, 1, 18, 30, tzinfo=UTC)),
        (4, datetime(2026, 3, 2, 18, 30, tzinfo=UTC)),
    ]
    by_minute = settled(split=Split(by=PartsBy.BUCKET, bucket="minute"))
    assert [(part.quantity, part.bucket) for part in by_minute.parts] == [
        (3, datetime(2026, 3, 2, 18, 29, tzinfo=UTC)),
        (4, datetime(2026, 3, 2, 18, 30, tzinfo=UTC)),
    ]
    assert by_minute.quantity == 7


def test_a_level_by_the_day_holds_from_the_day_it_rises_and_to_the_day_it_falls() -> None:
    """31 days of 2, 22 days of 10 more, 11 days without 4 (from the day after it fell): 62 + 220 - 44 of 31."""
    usage.meter("levels", aggregation="prorated_sum", value_property="output_tokens", decimals=12)
    for event_id, value, at in (
        ("before", 2, "2026-02-03T11:00:00Z"),
        ("up", 10, "2026-03-10T23:59:59Z"),
        ("down", -4, "2026-03-20T00:00:00Z"),
        ("after", 50, "2026-04-01T00:00:00Z"),
    ):
        data = {"input_tokens": 1, "output_tokens": value}
        assert usage.capture(usage.event(event_id, time=at, data=data), at=NOW).accepted == 1
    found = settled(code="levels")
    assert (found.quantity, found.event_count) == (Decimal("7.677419354839"), 3)


def test_what_is_held_is_what_was_added_last_and_its_days_count_once() -> None:
    """a: all 31 days. b: the 5th to the 7th and the 7th to the 10th, 6 days. c: removed before. 37 of 31."""
    usage.contract("seats", schema=SEATS, billing_fields=("seat", "action"))
    for code, aggregation in (("held", "unique_count"), ("days", "prorated_unique_count")):
        usage.meter(
            code,
            event_type="seats",
            aggregation=aggregation,
            value_property="seat",
            operation_property="action",
            is_recurring=True,
            decimals=12,
        )
    for number, (seat, action, at) in enumerate(
        (
            ("a", "add", "2026-02-10T11:00:00Z"),
            ("c", "add", "2026-02-10T11:00:00Z"),
            ("c", "remove", "2026-02-11T11:00:00Z"),
            ("b", "add", "2026-03-05T23:00:00Z"),
            ("b", "remove", "2026-03-07T01:00:00Z"),
            ("b", "add", "2026-03-07T02:00:00Z"),
            ("b", "add", "2026-03-09T02:00:00Z"),  # is there already
            ("b", "remove", "2026-03-10T02:00:00Z"),
            ("b", "remove", "2026-03-12T02:00:00Z"),  # is gone already
        )
    ):
        sent = usage.event(f"s{number}", type="seats", time=at, data={"seat": seat, "action": action})
        assert usage.capture(sent, at=NOW).accepted == 1
    assert settled(code="held").quantity == 1
    found = settled(code="days")
    assert (found.quantity, found.event_count) == (Decimal("1.193548387097"), 9)


ORDERED = [(4, 1, 1), (3, 1, 1), (2, 1, 1)]  # one by one in the minute in which it ends
FREE = {
    "events": (FreePart(events=2), [*ORDERED, (4, 2, 1), (5, 1, 1)]),
    "amount": (FreePart(amount=Decimal(8)), [*ORDERED, (4, 2, 1), (5, 1, 1)]),
    "each": (FreePart(amount=Decimal(8), by_value=True), [*ORDERED, (2, 1, 2), (5, 1, 1)]),
    "never": (FreePart(events=9), [(13, 5, 1), (5, 1, 1)]),
}


@pytest.mark.parametrize("name", FREE)
def test_where_a_free_part_ends_events_are_told_apart(name: str) -> None:
    """In order: 4, 3, 2 in one minute, 2 and 2 an hour later, 5 a day later."""
    free, expected = FREE[name]
    for event_id, value, at in (
        ("d", 2, "2026-03-02T12:00:00Z"),
        ("b", 3, "2026-03-02T11:00:02Z"),
        ("c", 2, "2026-03-02T11:00:03Z"),
        ("a", 4, "2026-03-02T11:00:01Z"),
        ("e", 5, "2026-03-03T11:00:00Z"),
        ("f", 2, "2026-03-02T12:30:00Z"),
    ):
        send(event_id, value, at=at)
    found = settled(split=Split(by=PartsBy.AFTER_FREE, free=free))
    assert (found.quantity, found.event_count) == (18, 6)
    assert [(part.quantity, part.events, part.times) for part in found.parts] == expected


def test_the_minute_in_which_a_free_part_ends_is_read_again_only_when_its_sums_moved() -> None:
    split = Split(by=PartsBy.AFTER_FREE, free=FreePart(events=1))
    send("a", 4, at="2026-03-02T11:00:01Z")
    send("b", 3, at="2026-03-02T11:00:05Z")
    assert [part.quantity for part in settled(split=split).parts] == [4, 3]
    send("later", 9, at="2026-03-09T11:00:05Z")
    rollups.roll_up()
    with CaptureQueriesContext(connection) as asked:
        assert [part.quantity for part in sure(ask(split=split)).parts] == [4, 3, 9]
    assert not [one["sql"] for one in asked if "metering_usageevent" in one["sql"]]
    send("between", 2, at="2026-03-02T11:00:03Z")
    rollups.roll_up()
    assert [part.quantity for part in sure(ask(split=split)).parts] == [4, 2, 3, 9]
    cancel("a")
    rollups.roll_up()
    assert [part.quantity for part in sure(ask(split=split)).parts] == [2, 3, 9]
    assert OrderedMinute.objects.count() == 1


def test_what_time_weighs_is_the_level_times_how_long_it_lasted() -> None:
    usage.meter("weighed", aggregation="time_weighted_sum")
    usage.meter("lasting", aggregation="time_weighted_sum", is_recurring=True)
    send("before", 4, at="2026-02-10T11:00:00Z")
    send("half", 10, at="2026-03-16T12:00:00Z")  # 15.5 of 31 days are left
    rollups.roll_up()
    assert (sure(ask(code="weighed")).quantity, sure(ask(code="lasting")).quantity) == (5, 9)


def test_rows_without_moments_tell_nothing_of_what_time_weighs() -> None:
    usage.meter("weighed", aggregation="time_weighted_sum")
    send("half", 10, at="2026-03-16T12:00:00Z")
    rollups.roll_up()
    UsageRollup.objects.update(moment=None)
    assert ask(code="weighed") is None
    assert sure(ask()).quantity == 10


def test_different_values_are_counted_once_and_a_corrected_one_no_more() -> None:
    usage.meter("different", aggregation="unique_count")
    send("a", 7)
    send("b", 9, at="2026-03-20T11:00:00Z")
    send("c", 7, at="2026-03-20T11:00:00Z")
    send("d", 11, at="2026-04-01T00:00:00Z")
    rollups.roll_up()
    assert sure(ask(code="different")).is_behind  # the sums are made when they are first asked for
    rollups.roll_up()
    found = sure(ask(code="different"))
    assert (found.quantity, found.event_count, found.is_behind) == (2, 3, False)
    cancel("b")
    rollups.roll_up()
    assert sure(ask(code="different")).quantity == 1


def test_a_level_is_made_of_all_there_ever_was() -> None:
    usage.meter("level", aggregation="sum", is_recurring=True)
    usage.meter("ever", aggregation="unique_count", is_recurring=True)
    send("a", 5, at="2026-01-05T00:00:00Z")
    send("b", 2)
    send("c", 9, at="2026-04-01T00:00:00Z")
    ask(code="ever")
    rollups.roll_up()
    assert (sure(ask(code="level")).quantity, sure(ask(code="ever")).quantity) == (7, 2)


def test_events_are_told_by_their_values_where_their_order_is_no_matter() -> None:
    for number, value in enumerate((10, 7, 10)):
        send(f"e{number}", value)
    split = Split(by=PartsBy.VALUE)
    ask(split=split)
    rollups.roll_up()
    parts = sorted(sure(ask(split=split)).parts, key=lambda part: part.quantity)
    assert [(part.quantity, part.events) for part in parts] == [(7, 1), (10, 2)]


@pytest.mark.parametrize(
    "facts",
    [
        ("sum", True),
        ("unique_count", False),
        ("unique_count", True),
        ("time_weighted_sum", False),
        ("time_weighted_sum", True),
        ("prorated_sum", True),
        ("prorated_unique_count", True),
    ],
)
def test_random_levels_and_unique_counts_are_what_a_count_gives(facts: tuple[str, bool]) -> None:
    chance = random.Random(f"levels {facts}")  # noqa: S311  the same usage each time
    aggregation, is_recurring = facts
    usage.meter("m", aggregation=aggregation, is_recurring=is_recurring, decimals=12)
    start = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 5))
    ask(code="m", start=start)
    for number in range(60):
        at = MARCH + timedelta(minutes=chance.randrange(-60 * 24 * 40, 60 * 24 * 31))
        send(f"r{number}", chance.randrange(20), at=at.isoformat())
        if number % 7 == 3:
            cancel(f"r{number - 1}")
        if number % 20 == 19:
            rollups.roll_up()
    rollups.roll_up()
    window = UsageWindow(usage.customer().pk, Meter.objects.get(code="m").pk, start, APRIL)
    (counted,) = aggregate.preview_snapshots([window], at=NOW)
    found = sure(ask(code="m", start=start))
    assert (found.quantity, found.event_count) == (counted.quantity, counted.event_count)
    assert counted.event_count > 10


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def test_random_changes_of_levels_and_seats_weigh_by_the_days_of_their_zone(zone: str) -> None:
    chance = random.Random(f"changes {zone}")  # noqa: S311  the same usage each time
    usage.contract("seats", schema=SEATS, billing_fields=("seat", "action"))
    seats: dict[str, Any] = {
        "event_type": "seats",
        "value_property": "seat",
        "operation_property": "action",
        "decimals": 12,
    }
    usage.meter("now", aggregation="unique_count", **seats)
    usage.meter("held", aggregation="unique_count", is_recurring=True, **seats)
    usage.meter("days", aggregation="prorated_unique_count", **seats)
    usage.meter("level", aggregation="prorated_sum", value_property="output_tokens", decimals=12)
    codes = ("now", "held", "days", "level")
    start, end = (periods.local_midnight(date(2026, month, 1), zone=zone) for month in (3, 4))
    windows = {
        code: UsageWindow(usage.customer().pk, Meter.objects.get(code=code).pk, start, end, zone=zone) for code in codes
    }
    wanted = [SumWindow(window) for window in windows.values()]
    sums.sum_windows(wanted)
    for step in range(3):
        sent = []
        for number in range(40):
            at = (MARCH + timedelta(minutes=chance.randrange(-60 * 24 * 20, 60 * 24 * 32))).isoformat()
            seat = {"seat": chance.choice("abcdef"), "action": chance.choice(["add", "remove"])}
            level = {"input_tokens": 1, "output_tokens": chance.randrange(-9, 10)}
            sent.append(usage.event(f"s{step}-{number}", type="seats", time=at, data=seat))
            sent.append(usage.event(f"l{step}-{number}", time=at, data=level))
        assert usage.capture(*sent, at=NOW).accepted == 80
        cancel(f"l{step}-7")
        rollups.roll_up()
    counted = aggregate.preview_snapshots(list(windows.values()), at=NOW)
    found = [sure(one) for one in sums.sum_windows(wanted)]
    assert [(one.quantity, one.event_count, one.is_behind) for one in found] == [
        (one.quantity, one.event_count, False) for one in counted
    ]
    assert min(one.event_count for one in counted) > 50
    assert len({one.quantity for one in counted}) > 2


@pytest.mark.parametrize(
    "price",
    [
        {"free_events": 20, "fixed_amount_per_event": Decimal("0.30")},
        {"free_total_amount": Decimal(90), "fixed_amount_per_event": Decimal("0.30")},
        {"free_total_amount": Decimal(70), "free_events": 60, "per_transaction_max": Decimal("0.4")},
        {"free_events": 2, "per_transaction_min": Decimal("0.2")},
    ],
)
def test_a_free_first_part_of_random_usage_costs_what_its_events_cost(price: dict[str, Any]) -> None:
    chance = random.Random(f"free {price}")  # noqa: S311  the same usage each time
    usage.meter("worth", aggregation="sum", value_property="output_tokens")
    params = PercentageParams(rate_percent=Decimal(5), **price)
    free = FreePart(events=params.free_events, amount=params.free_total_amount, by_value=params.has_limits)
    asked: dict[str, Any] = {"code": "worth", "split": Split(by=PartsBy.AFTER_FREE, free=free)}
    ask(**asked)
    for step in range(3):
        sent = []
        for number in range(30):
            hours, seconds = chance.randrange(72) * 2, chance.randrange(40)
            data = {"input_tokens": 1, "output_tokens": chance.randrange(-3, 12)}
            at = MARCH + timedelta(hours=hours, seconds=seconds)
            sent.append(usage.event(f"r{step}-{number}", time=at.isoformat(), data=data))
        assert usage.capture(*sent, at=NOW).accepted == 30
        cancel(f"r{step}-7")
        rollups.roll_up()
        ask(**asked)
    window = UsageWindow(usage.customer().pk, Meter.objects.get(code="worth").pk, MARCH, APRIL)
    (counted,) = aggregate.preview_snapshots([window], at=NOW)
    ((_, each),) = [(place, list(parts)) for place, parts in queries.split_usage([(counted, Split(by=PartsBy.EVENT))])]
    found = sure(ask(**asked))
    assert (found.quantity, found.event_count) == (counted.quantity, counted.event_count)
    by_sums = percentage.price_events(params=params, parts=map(breakdowns.part_of, found.parts))
    by_events = percentage.price_events(params=params, parts=map(breakdowns.part_of, each))
    assert total(by_sums) == total(by_events) > 0
    assert 10 < len(found.parts) < len(each)


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "min", "average", "last", "unique_count"])
def test_random_usage_gives_what_a_count_gives(aggregation: str) -> None:
    chance = random.Random(f"sums {aggregation}")  # noqa: S311  the same usage each time
    code = f"m-{aggregation}"
    usage.meter(code, aggregation=aggregation, value_property="" if aggregation == "count" else "input_tokens")
    rollups.roll_up()
    meter = Meter.objects.get(code=code)
    split = Split(by=PartsBy.COMBINATION, properties=("model",))
    can_split = aggregation != "average"
    if can_split:
        ask(code=code, split=split)
    for number in range(60):
        at = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 31))
        model = {"model": chance.choice(["small", "large"])} if chance.random() < 0.7 else {}
        send(f"r{number}", chance.randrange(1000), at=at.isoformat(), **model)
        if number % 20 == 19:
            rollups.roll_up()
    start = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 5))
    ask(code=code, start=start)  # sums of different values begin when they are asked for
    rollups.roll_up()
    window = UsageWindow(usage.customer().pk, meter.pk, start, APRIL)
    (counted,) = aggregate.preview_snapshots([window], at=NOW)
    assert counted.event_count > 30
    found = sure(ask(code=code, start=start))
    assert (found.quantity, found.event_count) == (counted.quantity, counted.event_count)
    if can_split:
        ((_, parts),) = [(place, list(each)) for place, each in queries.split_usage([(counted, split)])]
        by_model = sorted(sure(ask(code=code, start=start, split=split)).parts, key=repr)
        assert by_model == sorted(parts, key=repr)


def test_whole_hours_need_no_event() -> None:
    send("a")
    rollups.roll_up()
    meter = Meter.objects.get(code="input-tokens")
    reading = meter.versions.get().as_reading()
    (series,) = RollupSeries.objects.all()
    question = Question(Adding(reading), MARCH, APRIL)
    window = summed_stretches.rolled_window(summed_stretches.Asked(usage.customer().pk, series, question))
    statement, _ = rolled_windows.statement_of([window])
    assert "metering_usageevent" not in statement


def test_customers_are_found_by_the_numbers_of_their_events() -> None:
    send("a")
    rollups.roll_up()
    seen = sums.find_watermark()
    assert sums.find_customers(after=seen, up_to=seen) == []
    usage.customer("beta")
    send("b")
    usage.capture(usage.event("c", subject="beta", data={"input_tokens": 1, "output_tokens": 1}), at=NOW)
    rollups.roll_up()
    assert len(sums.find_customers(after=seen, up_to=sums.find_watermark())) == 2
