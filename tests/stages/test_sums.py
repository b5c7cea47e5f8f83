"""What windows come to by sums is what a count of the same events gives, split as prices split them."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from metering import aggregate, queries, rollups, sums
from metering.models import Meter, RollupSeries, UsageRollup
from metering.rules.parts import PartsBy, Split, UsagePart
from metering.rules.windows import UsageWindow
from metering.store import rolled_windows
from metering.sums import Summed, SumWindow
from tests.builders import usage

pytestmark = pytest.mark.django_db
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)


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


@pytest.mark.parametrize(
    "split",
    [
        Split(by=PartsBy.EVENT),
        Split(by=PartsBy.BUCKET, bucket="minute"),
        Split(by=PartsBy.BUCKET, bucket="day", zone="Asia/Kolkata"),
    ],
)
def test_what_sums_cannot_split_they_do_not_guess(split: Split) -> None:
    assert ask(split=split) is None


def test_what_days_weigh_has_no_sums() -> None:
    usage.meter("levels", aggregation="prorated_sum", is_recurring=True)
    assert ask(code="levels") is None


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
    ],
)
def test_random_levels_and_unique_counts_are_what_a_count_gives(facts: tuple[str, bool]) -> None:
    chance = random.Random(f"levels {facts}")  # noqa: S311  the same usage each time
    aggregation, is_recurring = facts
    usage.meter("m", aggregation=aggregation, is_recurring=is_recurring)
    ask(code="m")
    for number in range(60):
        at = MARCH + timedelta(minutes=chance.randrange(-60 * 24 * 40, 60 * 24 * 31))
        send(f"r{number}", chance.randrange(20), at=at.isoformat())
        if number % 7 == 3:
            cancel(f"r{number - 1}")
        if number % 20 == 19:
            rollups.roll_up()
    rollups.roll_up()
    start = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 5))
    window = UsageWindow(usage.customer().pk, Meter.objects.get(code="m").pk, start, APRIL)
    (counted,) = aggregate.preview_snapshots([window], at=NOW)
    found = sure(ask(code="m", start=start))
    assert (found.quantity, found.event_count) == (counted.quantity, counted.event_count)
    assert counted.event_count > 10


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "min", "average", "last"])
def test_random_usage_gives_what_a_count_gives(aggregation: str) -> None:
    chance = random.Random(f"sums {aggregation}")  # noqa: S311  the same usage each time
    code = f"m-{aggregation}"
    usage.meter(code, aggregation=aggregation, value_property="" if aggregation == "count" else "input_tokens")
    rollups.roll_up()
    meter = Meter.objects.get(code=code)
    split = Split(by=PartsBy.COMBINATION, properties=("model",))
    can_split = aggregation not in ("average", "last")
    if can_split:
        ask(code=code, split=split)
    for number in range(60):
        at = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 31))
        model = {"model": chance.choice(["small", "large"])} if chance.random() < 0.7 else {}
        send(f"r{number}", chance.randrange(1000), at=at.isoformat(), **model)
        if number % 20 == 19:
            rollups.roll_up()
    start = MARCH + timedelta(minutes=chance.randrange(60 * 24 * 5))
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
    wanted = SumWindow(UsageWindow(usage.customer().pk, meter.pk, MARCH, APRIL))
    asked = sums._ask([wanted])[0]  # noqa: SLF001  the statement that would be run
    (series,) = RollupSeries.objects.all()
    window = sums._rolled(asked, series, customer_id=usage.customer().pk, edges=(MARCH, APRIL))  # noqa: SLF001
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
