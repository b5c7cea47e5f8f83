"""Sums of usage follow capture, corrections and late events, and live totals from them are those of the events."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from core import work
from core.models import Job
from metering import live_usage, meter_versions, queries, rollup_repair, rollups
from metering.live_totals import ReadFrom
from metering.models import Meter, RollupRepair, RollupSeries, UsageEvent, UsageRollup
from metering.queries import LiveUsage
from metering.rules.measures import MeterContent
from metering.store import live
from metering.store.measuring import MeterReading
from tests.builders import guards, usage
from tests.builders.usage import NOON

pytestmark = pytest.mark.django_db
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NUMBERS = ("sum", "max", "min", "average", "last")


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def send(event_id: str, value: Any = 3, at: str = "2026-03-02T11:00:00Z", **changes: Any) -> None:
    """An event whose model depends on its id; every third has none."""
    model = {1: {"model": "small"}, 2: {"model": "large"}}.get(sum(event_id.encode()) % 3, {})
    result = usage.capture(
        usage.event(event_id, time=at, data={"input_tokens": value, "output_tokens": 1, **model}, **changes),
        at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert result.accepted == 1, result


def asked(
    code: str = "input-tokens",
    *,
    start: datetime = MARCH,
    end: datetime = APRIL,
    window: str | None = None,
    **more: Any,
) -> LiveUsage:
    meter = Meter.objects.get(code=code)
    return queries.live_usage(customer_id=usage.customer().pk, meter=meter, start=start, end=end, window=window, **more)


def total(code: str = "input-tokens", **more: Any) -> Decimal:
    (row,) = asked(code, **more).rows
    return row.quantity


def sums(grain: str) -> list[tuple[datetime, Decimal | None, int]]:
    rows = UsageRollup.objects.filter(grain=grain).order_by("starts_at")
    return [(row.starts_at, row.total, row.event_count) for row in rows]


def test_events_are_added_up_by_hour_day_and_month() -> None:
    send("1", 3, "2026-03-02T11:00:00Z")
    send("2", 4, "2026-03-02T11:59:59.999999Z")
    send("3", 5, "2026-03-02T12:00:00Z")
    send("4", 6, "2026-02-28T23:30:00-01:00")
    rollups.roll_up()
    assert sums("hour") == [
        (datetime(2026, 3, 1, tzinfo=UTC), 6, 1),
        (datetime(2026, 3, 2, 11, tzinfo=UTC), 7, 2),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), 5, 1),
    ]
    assert sums("day") == [(datetime(2026, 3, 1, tzinfo=UTC), 6, 1), (datetime(2026, 3, 2, tzinfo=UTC), 12, 3)]
    assert sums("month") == [(MARCH, 18, 4)]


def test_what_is_not_rolled_up_yet_is_read_from_the_events() -> None:
    send("1", 3)
    rollups.roll_up()
    send("2", 4)
    found = asked()
    assert (found.rows[0].quantity, found.rows[0].event_count, found.read_from) == (7, 2, ReadFrom.ROLLUPS)
    assert sums("month") == [(MARCH, 3, 1)]


def test_each_event_is_added_once_however_often_a_round_is_run() -> None:
    send("1", 3)
    for _ in range(3):
        rollups.roll_up()
    send("2", 4)
    rollups.roll_up()
    assert sums("hour") == [(datetime(2026, 3, 2, 11, tzinfo=UTC), 7, 2)]
    assert RollupSeries.objects.get().seq == UsageEvent.objects.order_by("seq").last().seq  # type: ignore[union-attr]  # there are two


def test_a_round_that_is_broken_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:  # a step goes so many numbers further, and other tests have used up many
        cursor.execute("ALTER SEQUENCE metering_usageevent_seq_seq RESTART")
    for number in range(7):
        send(str(number), 1)
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", 2)
    monkeypatch.setattr(rollups, "STEPS_MAX", 2)
    done = []
    for _ in range(40):  # numbers have gaps, so how many steps it takes is nobody's business
        done.append(rollups.roll_up().is_done)
        assert total() == 7
        if done[-1]:
            break
    assert not done[0]
    assert sums("month") == [(MARCH, 7, 7)]


def test_a_late_event_of_an_old_hour_reaches_its_hour() -> None:
    send("1", 3)
    rollups.roll_up()
    send("late", 10, "2026-03-02T11:30:00Z")
    assert total() == 13
    rollups.roll_up()
    assert sums("hour") == [(datetime(2026, 3, 2, 11, tzinfo=UTC), 13, 2)]


def test_a_meter_made_later_catches_up_from_the_first_event() -> None:
    send("1", 3)
    rollups.roll_up()
    usage.meter("calls", value_property="", aggregation="count")
    send("2", 4)
    assert (total("calls"), asked("calls").read_from) == (2, ReadFrom.EVENTS)
    rollups.roll_up()
    assert (total("calls"), asked("calls").read_from) == (2, ReadFrom.ROLLUPS)
    assert total() == 7


def test_a_new_version_has_sums_of_its_own_and_the_total_is_cut_where_it_begins() -> None:
    owner, colleague = usage.person("enza", "engineering"), usage.person("pia", "product")
    half_past = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    send("1", 30, "2026-03-02T11:10:00Z")
    send("2", 5, "2026-03-02T11:40:00Z")
    send("3", 40, "2026-03-02T11:50:00Z")
    content = MeterContent(
        definition="Large calls.",
        aggregation="sum",
        value_property="input_tokens",
        filters=[{"property": "input_tokens", "operator": "range", "from": 20}],
    )
    version = meter_versions.propose_version(
        meter=Meter.objects.get(),
        content=content,
        effective_at=half_past,
        reason="Small ones are free.",
        actor=colleague,
        at=MARCH,
    )
    meter_versions.approve_version(version_id=version.pk, actor=owner, at=MARCH)
    rollups.roll_up()
    assert RollupSeries.objects.count() == 2
    found = asked()
    assert [(row.start, row.quantity) for row in found.rows] == [(MARCH, 30), (half_past, 40)]
    assert found.read_from == ReadFrom.ROLLUPS


def correct(event_id: str, corrects: str, correction: str, value: Any = 1, at: str = "2026-03-02T11:10:00Z") -> None:
    send(event_id, value, at, corrects=corrects, correction=correction)


@pytest.mark.parametrize("is_rolled_up_between", [True, False])
@pytest.mark.parametrize(("correction", "expected"), [("amend", 12), ("cancel", 5)])
def test_a_correction_takes_back_what_was_rolled_up(correction: str, expected: int, is_rolled_up_between: bool) -> None:
    rollups.keep_series()
    send("1", 3)
    send("2", 5, "2026-03-10T08:00:00Z")
    if is_rolled_up_between:
        rollups.roll_up()
    correct("3", "1", correction, 7)
    assert (total(), asked().read_from) == (expected, ReadFrom.ROLLUPS)
    rollups.roll_up()
    assert total() == expected
    assert sums("month") == [(MARCH, expected, 2 if correction == "amend" else 1)]


def test_a_highest_value_that_is_cancelled_gives_way_to_the_next() -> None:
    usage.meter("peak", aggregation="max")
    send("1", 9)
    send("2", 4, "2026-03-02T11:20:00Z")
    rollups.roll_up()
    assert total("peak") == 9
    correct("3", "1", "cancel")
    assert total("peak") == 4
    rollups.roll_up()
    assert total("peak") == 4


def test_the_last_event_of_an_hour_that_is_cancelled_leaves_no_row() -> None:
    send("1", 9)
    rollups.roll_up()
    correct("2", "1", "cancel", at="2026-03-05T00:00:00Z")
    rollups.roll_up()
    assert not UsageRollup.objects.exists()
    assert total() == 0


def test_last_is_decided_by_time_then_arrival_then_identity() -> None:
    usage.meter("level", aggregation="last")
    send("b", 1, "2026-03-02T11:00:00Z")
    send("c", 2, "2026-03-02T11:00:00Z")
    rollups.roll_up()
    send("a", 3, "2026-03-02T11:00:00Z")  # arrived last
    send("0", 4, "2026-03-02T10:59:59Z")
    assert total("level") == 3
    rollups.roll_up()
    assert total("level") == 3


def test_a_unique_count_is_read_from_the_events_and_says_so() -> None:
    usage.meter("values", aggregation="unique_count")
    send("1", 3)
    send("2", 3)
    rollups.roll_up()
    assert (total("values"), asked("values").read_from) == (1, ReadFrom.EVENTS)


def test_groups_that_the_meter_keeps_apart_are_put_together_from_sums() -> None:
    usage.meter("by-model", group_by=["region", "model"])
    for number in range(6):  # of ids "0" to "5" the first and fourth have no model
        send(str(number), number + 1)
    rollups.roll_up()
    send("6", 10)
    found = asked("by-model", group_by=["model"])
    assert [(row.group["model"], row.quantity) for row in found.rows] == [("large", 9), ("small", 7), (None, 15)]
    assert (found.read_from, total("by-model")) == (ReadFrom.ROLLUPS, 31)


def test_minutes_are_shorter_than_any_sum() -> None:
    send("1", 3)
    rollups.roll_up()
    found = asked(start=NOON - timedelta(hours=2), end=NOON, window="minute")
    assert ([row.quantity for row in found.rows], found.read_from) == ([3], ReadFrom.EVENTS)


def test_meters_that_read_the_same_share_their_sums() -> None:
    usage.meter("peak", aggregation="max")
    send("1", 3)
    rollups.roll_up()
    assert RollupSeries.objects.count() == 1
    assert (total(), total("peak"), asked("peak").read_from) == (3, 3, ReadFrom.ROLLUPS)


def test_a_long_value_is_a_group_like_any_other() -> None:
    usage.meter("by-region", group_by=["region"])
    usage.capture(
        usage.event("1", data={"input_tokens": 3, "output_tokens": 1, "region": "x" * 20_000}),
        at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    rollups.roll_up()
    assert asked("by-region", group_by=["region"]).rows[0].group == {"region": "x" * 20_000}


def test_sums_that_move_on_while_they_are_read_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    send("1", 3)
    rollups.roll_up()
    send("2", 4)
    from metering.store import rolled  # noqa: PLC0415  patched below

    moved: list[bool] = []
    read = rolled.read_rolled

    def roll_up_first(*arguments: Any, **more: Any) -> Any:
        if not moved:
            moved.append(True)
            rollups.roll_up()
        return read(*arguments, **more)

    monkeypatch.setattr(rolled, "read_rolled", roll_up_first)
    assert (total(), asked().read_from, moved) == (7, ReadFrom.ROLLUPS, [True])


class TestAgainstTheEvents:
    """Whatever is asked, rows and events give the same."""

    @pytest.fixture
    def meters(self) -> list[Meter]:
        large: dict[str, Any] = {"filters": [{"property": "input_tokens", "operator": "range", "from": 20}]}
        return [
            usage.meter("calls", value_property="", aggregation="count"),
            usage.meter("large-calls", value_property="", aggregation="count", **large),
            usage.meter("by-model", group_by=["model"]),
            *(usage.meter(f"by-{kind}", aggregation=kind) for kind in NUMBERS),
        ]

    @pytest.mark.parametrize("seed", range(4))
    def test_random_usage_corrections_and_rounds(self, meters: list[Meter], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  made-up usage
        start = datetime(2026, 1, 20, tzinfo=UTC)
        alive: list[str] = []
        for number in range(60):
            at = start + timedelta(seconds=chance.randrange(70 * 86_400))
            value = chance.choice([chance.randrange(100), Decimal(chance.randrange(10**6)) / 4, 7])
            if alive and chance.random() < 0.25:
                target = alive.pop(chance.randrange(len(alive)))
                kind = chance.choice(["amend", "cancel"])
                correct(str(number), target, kind, value, at.isoformat())
                alive += [str(number)] if kind == "amend" else []
            else:
                send(str(number), value, at.isoformat())
                alive.append(str(number))
            if chance.random() < 0.2:
                rollups.roll_up()
            if chance.random() < 0.2:
                self.compare(meters, chance)
        rollups.roll_up()
        self.compare(meters, chance)

    def compare(self, meters: list[Meter], chance: random.Random) -> None:
        first = datetime(2026, 1, 15, tzinfo=UTC) + timedelta(minutes=chance.randrange(80_000))
        last = first + timedelta(minutes=chance.randrange(1, 90_000))
        zone = chance.choice(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
        window = chance.choice([None, "day", "month"])
        for meter in meters:
            groups = ["model"] if meter.code == "by-model" else []
            found = asked(meter.code, start=first, end=last, window=window, zone=zone, group_by=groups)
            starts = live_usage._bucket_starts(first, last, window=window, zone=zone)  # noqa: SLF001  the same buckets
            read = MeterReading(contract_id=meter.contract_id, reading=meter.versions.get().as_reading())
            raw = live.read_totals(
                customer_id=usage.customer().pk, meter=read, starts=starts, end=last, group_by=groups, rows_max=10_000
            )
            shown = [(row.start, row.group, row.quantity, row.event_count) for row in found.rows if row.event_count]
            assert shown == [
                (starts[row.bucket], dict(zip(groups, row.group, strict=True)), row.quantity, row.event_count)
                for row in raw
            ]


class TestCost:
    """Rows that a year's total reads, as PostgreSQL counts them; nobody's clock."""

    def rows_read(self, start: datetime, end: datetime) -> int:
        from metering.store import rolled  # noqa: PLC0415  wrapped here only

        seen: list[int] = []
        read = rolled.read_rolled

        def explain(statement: str, parameters: dict[str, Any], *, reading: Any) -> Any:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
                ((plan,),) = cursor.fetchall()
            seen.append(_scanned(plan[0]["Plan"]))
            return read(statement, parameters, reading=reading)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rolled, "read_rolled", explain)
            assert asked(start=start, end=end).read_from == ReadFrom.ROLLUPS
        return seen[0]

    def test_it_does_not_grow_with_the_length_of_the_period(self) -> None:
        day = datetime(2025, 3, 1, tzinfo=UTC)
        for batch in range(12):
            usage.capture(
                *[
                    usage.event(f"{batch} {number}", time=(day + timedelta(days=30 * batch, hours=number)).isoformat())
                    for number in range(300)
                ],
                at=datetime(2026, 12, 1, tzinfo=UTC),
            )
        rollups.roll_up()
        usage.capture(usage.event("new"), at=datetime(2026, 12, 1, tzinfo=UTC))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        half = timedelta(minutes=30)
        month = self.rows_read(datetime(2025, 6, 1, tzinfo=UTC) - half, datetime(2025, 7, 1, tzinfo=UTC) + half)
        year = self.rows_read(datetime(2025, 3, 1, tzinfo=UTC) - half, datetime(2026, 3, 1, tzinfo=UTC) + half)
        assert 10 * year < 300 * 12
        assert year <= month + 11 + 10  # eleven more months, and a few rows at other edges


def _scanned(plan: dict[str, Any]) -> int:
    """Rows that scans of tables gave or threw away, over all loops."""
    own = 0
    if str(plan.get("Relation Name", "")).startswith(("metering_usagerollup", "metering_usageevent")):
        thrown = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    return int(own) + sum(_scanned(child) for child in plan.get("Plans", ()))


def test_what_is_rolled_back_was_never_added() -> None:
    rollups.keep_series()
    with transaction.atomic():
        send("1", 3)
        transaction.set_rollback(True)
    send("2", 4, at=NOON.isoformat())
    rollups.roll_up()
    assert sums("month") == [(MARCH, 4, 1)]


class TestRepair:
    @pytest.fixture(autouse=True)
    def rolled_up(self) -> None:
        usage.meter("level", aggregation="last", value_property="output_tokens")
        send("1", 3)
        send("2", 4, "2026-03-02T12:00:00Z")
        send("3", 5, "2026-04-02T12:00:00Z")
        rollups.roll_up()
        send("4", 6)  # above the sums: in neither side of the comparison

    def break_sums(self) -> None:
        hours = UsageRollup.objects.filter(series__value_property="input_tokens", grain="hour")
        hours.filter(starts_at=datetime(2026, 3, 2, 11, tzinfo=UTC)).update(total=99)
        hours.filter(starts_at=datetime(2026, 4, 2, 12, tzinfo=UTC)).delete()
        stray = hours.get(starts_at=datetime(2026, 3, 2, 12, tzinfo=UTC))
        stray.pk, stray.starts_at = None, datetime(2026, 3, 20, tzinfo=UTC)
        stray.save(force_insert=True)
        UsageRollup.objects.filter(series__value_property="output_tokens", grain="month").update(last_value=0)

    def repair(self) -> list[int]:
        return [rollup_repair.repair_month(month=month, at=NOON) for month in rollup_repair.find_months()]

    def test_where_all_agrees_there_is_nothing_to_repair(self) -> None:
        assert rollup_repair.find_differences() == []
        assert sum(self.repair()) == 0
        assert not RollupRepair.objects.exists()

    def test_what_differs_is_reported_with_both_figures_and_put_right(self) -> None:
        before = list(UsageRollup.objects.order_by("series", "grain", "starts_at").values_list("starts_at", "total"))
        self.break_sums()
        assert len(rollup_repair.find_differences()) == 5
        assert sum(self.repair()) == 5
        reported = RollupRepair.objects.order_by("pk").values_list(
            "series__value_property", "grain", "found", "counted"
        )
        short = [
            (code, grain, found and (found["total"], found["last"]), counted and (counted["total"], counted["last"]))
            for code, grain, found, counted in reported
        ]
        assert sorted(short, key=str) == [
            ("input_tokens", "hour", ("4", "4"), None),
            ("input_tokens", "hour", ("99", "3"), ("3", "3")),
            ("input_tokens", "hour", None, ("5", "5")),
            ("output_tokens", "month", ("1", "0"), ("1", "1")),
            ("output_tokens", "month", ("2", "0"), ("2", "1")),
        ]
        after = list(UsageRollup.objects.order_by("series", "grain", "starts_at").values_list("starts_at", "total"))
        assert after == before
        assert rollup_repair.find_differences() == []

    def test_the_report_is_kept(self) -> None:
        self.break_sums()
        self.repair()
        assert guards.keeps_its_rows(RollupRepair)

    def test_one_job_looks_after_each_month(self) -> None:
        self.break_sums()
        rollup_repair.queue_repairs(at=NOON)
        work.run_due_jobs(at=NOON)
        assert rollup_repair.find_differences() == []
        assert set(Job.objects.values_list("state", flat=True)) == {"done"}
