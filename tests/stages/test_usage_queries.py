"""What others ask about usage: recounts, usage without a price, late usage, live totals, events behind a figure."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering import aggregate, live_usage, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter, UsageEvent, Watermark
from metering.queries import CustomerPeriod, LateWindow, LiveUsageRow, StrayUsage
from metering.rules import aggregation
from metering.rules.aggregation import Observation
from metering.rules.readings import Reading
from tests.builders import usage

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MIDDLE = datetime(2026, 3, 15, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
CLOSING = datetime(2026, 4, 1, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def window(code: str = "input-tokens", *, start: datetime = MARCH, end: datetime = APRIL) -> UsageWindow:
    return UsageWindow(usage.customer().pk, Meter.objects.get(code=code).pk, start, end)


def use(event_id: str, tokens: object, *, at: str = "2026-03-02T11:00:00Z", **data: Any) -> None:
    body = {"input_tokens": tokens, "output_tokens": 2, **data}
    assert usage.capture(usage.event(event_id, time=at, data=body), at=CLOSING).accepted == 1


def mark() -> Watermark:
    return watermark.fix_watermark(at=CLOSING)


def take(*windows: UsageWindow) -> list[AggregationSnapshot]:
    return aggregate.take_snapshots(windows, watermark=mark(), at=CLOSING)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "Z")


class TestRecount:
    def test_every_kind_counted_again_is_what_was_taken(self) -> None:
        for code, kind in [("requests", "count"), ("peak", "max"), ("level", "last"), ("sizes", "unique_count")]:
            usage.meter(code, aggregation=kind, value_property="" if kind == "count" else "output_tokens")
        for number, tokens in enumerate([7, "-3.25", 7, "12"]):
            use(f"e{number}", 1, at=f"2026-03-{20 - number}T00:00:00Z", output_tokens=tokens)
        snapshots = take(*map(window, ["input-tokens", "requests", "peak", "level", "sizes"]))
        again = queries.recount(snapshots)
        assert [again[snapshot.pk].quantity for snapshot in snapshots] == [4, 4, 12, 7, 3]
        for snapshot in snapshots:
            assert again[snapshot.pk].event_count == snapshot.event_count == 4
            assert again[snapshot.pk].digest == snapshot.digest

    def test_it_counts_at_each_snapshot_s_own_watermark(self) -> None:
        use("a", 3)
        (early,) = take(window(end=MIDDLE))
        use("b", 4)
        (late,) = take(window(start=MIDDLE))
        again = queries.recount([early, late])
        assert (again[early.pk].quantity, again[late.pk].quantity) == (3, 0)

    def test_a_snapshot_that_lost_an_event_is_found_out(self) -> None:
        use("a", 3)
        use("b", 4)
        (snapshot,) = take(window())
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE metering_usageevent DISABLE TRIGGER USER")
            cursor.execute("DELETE FROM metering_usageevent WHERE event_id = 'b'")
        again = queries.recount([snapshot])[snapshot.pk]
        assert (again.event_count, again.quantity) == (1, 3)
        assert again.digest != snapshot.digest


class TestStrays:
    def strays(self, *windows: UsageWindow) -> list[StrayUsage]:
        period = CustomerPeriod(usage.customer().pk, MARCH, APRIL)
        return queries.stray_usage([period], windows=windows, watermark=mark())

    def test_usage_within_its_window_has_a_price(self) -> None:
        use("a", 3)
        assert self.strays(window()) == []

    def test_an_event_has_its_price_where_one_of_its_meters_has(self) -> None:
        usage.meter("output-tokens", value_property="output_tokens")
        use("a", 3, at="2026-03-05T00:00:00Z")
        assert self.strays(window()) == []

    def test_usage_that_no_meter_of_its_contract_prices_is_found(self) -> None:
        use("a", 3, at="2026-03-05T00:00:00Z")
        use("b", 3, at="2026-03-04T00:00:00Z")
        contract_id = Meter.objects.get().contract_id
        found = StrayUsage(usage.customer().pk, contract_id, 2, utc("2026-03-04T00:00:00"), utc("2026-03-05T00:00:00"))
        assert self.strays() == [found]

    def test_usage_between_two_windows_is_found(self) -> None:
        use("before", 3, at="2026-03-09T23:59:59Z")
        use("between", 3, at="2026-03-10T00:00:00Z")
        use("after", 3, at="2026-03-15T00:00:00Z")
        (stray,) = self.strays(window(end=utc("2026-03-10T00:00:00")), window(start=MIDDLE))
        assert (stray.event_count, stray.first_at) == (1, utc("2026-03-10T00:00:00"))

    def test_an_event_is_found_once_under_the_first_period_it_falls_in(self) -> None:
        use("a", 3, at="2026-03-20T00:00:00Z")
        usage.capture(usage.event("b", time="2026-04-03T00:00:00Z"), at=datetime(2026, 4, 4, tzinfo=UTC))
        customer_id = usage.customer().pk
        march, april = (MARCH, APRIL), (MIDDLE, datetime(2026, 4, 15, tzinfo=UTC))
        periods = [CustomerPeriod(customer_id, *span) for span in (april, march, march)]
        found = queries.stray_usage(periods, windows=[], watermark=mark())
        assert [(stray.event_count, stray.first_at) for stray in found] == [
            (1, utc("2026-03-20T00:00")),
            (1, utc("2026-04-03T00:00")),
        ]

    def test_what_came_after_the_watermark_is_late_and_not_stray(self) -> None:
        seen = mark()
        use("a", 3)
        period = CustomerPeriod(usage.customer().pk, MARCH, APRIL)
        assert queries.stray_usage([period], windows=[], watermark=seen) == []

    def test_one_statement_finds_the_gaps_of_all_customers(self) -> None:
        periods = [CustomerPeriod(usage.customer(f"c{number}").pk, MARCH, APRIL) for number in range(20)]
        seen = mark()
        with CaptureQueriesContext(connection) as counted:
            queries.stray_usage(periods, windows=[], watermark=seen)
        assert len(counted) == 4  # meters, the months in files and their lock, and the events


class TestLateUsage:
    def test_an_event_in_a_counted_window_is_late(self) -> None:
        (snapshot,) = take(window())
        use("late", 3)
        use("next month", 3, at="2026-04-01T00:00:00Z")
        assert queries.late_windows() == [LateWindow(snapshot.pk, 1)]

    def test_once_an_adjustment_counted_it_it_is_late_no_more(self) -> None:
        (snapshot,) = take(window())
        use("late", 3)
        (adjustment,) = aggregate.take_adjustment_snapshots([snapshot], watermark=mark(), at=CLOSING)
        assert queries.late_windows() == []
        aggregate.retire_snapshots([adjustment.pk], at=CLOSING)
        assert queries.late_windows() == [LateWindow(snapshot.pk, 1)]

    def test_a_retired_window_has_no_late_usage(self) -> None:
        (snapshot,) = take(window())
        aggregate.retire_snapshots([snapshot.pk], at=CLOSING)
        use("late", 3)
        assert queries.late_windows() == []

    def test_what_came_after_a_later_watermark_is_the_next_close_s(self) -> None:
        (snapshot,) = take(window())
        use("late", 3)
        later = mark()
        use("later", 3)
        assert queries.late_windows(watermark=later) == [LateWindow(snapshot.pk, 1)]
        assert queries.late_windows() == [LateWindow(snapshot.pk, 2)]

    def test_it_looks_at_the_customers_named(self) -> None:
        (snapshot,) = take(window())
        use("late", 3)
        assert queries.late_windows(customer_ids=[usage.customer("zeta").pk]) == []
        assert queries.late_windows(customer_ids=[snapshot.customer_id]) == [LateWindow(snapshot.pk, 1)]


class TestLiveUsage:
    def live(self, code: str = "input-tokens", **question: Any) -> list[LiveUsageRow]:
        asked = {"start": MARCH, "end": APRIL} | question
        meter = Meter.objects.get(code=code)
        return queries.live_usage(customer_id=usage.customer().pk, meter=meter, **asked).rows

    def test_the_total_of_the_whole_time(self) -> None:
        use("a", 3)
        use("b", Decimal("0.5"), at="2026-03-31T23:59:59Z")
        use("c", 9, at="2026-04-01T00:00:00Z")
        (row,) = self.live()
        assert (row.start, row.end, row.group) == (MARCH, APRIL, {})
        assert (row.quantity, row.event_count) == (Decimal("3.5"), 2)

    def test_no_usage_is_a_total_of_nothing(self) -> None:
        (row,) = self.live()
        assert (row.quantity, row.event_count) == (0, 0)

    def test_days_are_those_of_the_zone_when_clocks_change(self) -> None:
        use("a", 1, at="2026-03-28T22:59:59Z")
        use("b", 2, at="2026-03-28T23:00:00Z")
        use("c", 4, at="2026-03-29T21:59:59Z")
        use("d", 8, at="2026-03-29T22:00:00Z")
        rows = self.live(window="day", zone="Europe/Berlin")
        assert [(row.start, row.end, row.quantity) for row in rows] == [
            (utc("2026-03-27T23:00"), utc("2026-03-28T23:00"), 1),
            (utc("2026-03-28T23:00"), utc("2026-03-29T22:00"), 6),
            (utc("2026-03-29T22:00"), utc("2026-03-30T22:00"), 8),
        ]

    def test_the_hour_that_comes_twice_is_two_hours(self) -> None:
        use("a", 1, at="2025-10-26T00:30:00Z")
        use("b", 2, at="2025-10-26T01:30:00Z")
        start, end = utc("2025-10-25T22:00"), utc("2025-10-26T23:00")
        rows = self.live(window="hour", zone="Europe/Berlin", start=start, end=end)
        assert [(row.start, row.quantity) for row in rows] == [
            (utc("2025-10-26T00:00"), 1),
            (utc("2025-10-26T01:00"), 2),
        ]

    def test_groups_are_properties_of_the_contract(self) -> None:
        use("a", 1, model="small", region="eu")
        use("b", 2, model="large", region="eu")
        use("c", 4, model="small")
        rows = self.live(group_by=["model", "region"])
        assert [(row.group, row.quantity) for row in rows] == [
            ({"model": "large", "region": "eu"}, 2),
            ({"model": "small", "region": "eu"}, 1),
            ({"model": "small", "region": None}, 4),
        ]

    @pytest.mark.parametrize(
        ("kind", "quantity"), [("sum", 12), ("count", 3), ("max", 7), ("last", 3), ("unique_count", 3)]
    )
    def test_every_kind_of_aggregation_is_answered(self, kind: str, quantity: int) -> None:
        usage.meter("other", aggregation=kind, value_property="" if kind == "count" else "output_tokens")
        for number, tokens in enumerate([7, 2, "3"]):
            use(f"e{number}", 1, at=f"2026-03-0{number + 1}T00:00:00Z", output_tokens=tokens)
        (row,) = self.live("other")
        assert row.quantity == quantity

    @pytest.mark.parametrize("name", ["secret", "model' OR 1=1 --", "input_tokens__gt", ""])
    def test_an_undeclared_property_is_refused_before_any_sql(self, name: str) -> None:
        with pytest.raises(queries.UsageQuestionError, match="declares no"):
            self.live(group_by=[name])

    @pytest.mark.parametrize(
        ("question", "says"),
        [
            ({"end": MARCH}, "must lie after"),
            ({"window": "fortnight"}, "one of minute, hour, day, month"),
            ({"window": "hour", "start": utc("2020-01-01T00:00")}, "more than 10000 hours"),
        ],
    )
    def test_a_question_without_an_answer_is_refused(self, question: dict[str, Any], says: str) -> None:
        with pytest.raises(queries.UsageQuestionError, match=says):
            self.live(**question)

    def test_more_rows_than_anybody_reads_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_usage, "LIVE_ROWS_MAX", 1)
        use("a", 1, model="small")
        use("b", 1, model="large")
        with pytest.raises(queries.UsageQuestionError, match="more than 1 rows"):
            self.live(group_by=["model"])

    def test_it_says_how_fresh_it_is(self) -> None:
        meter = Meter.objects.get(code="input-tokens")
        found = queries.live_usage(customer_id=usage.customer().pk, meter=meter, start=MARCH, end=APRIL)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            assert found.as_of <= cursor.fetchone()[0]
        assert found.lag_seconds == 0  # nobody is capturing


class TestEventsBehindASnapshot:
    def test_a_page_follows_capture_order_and_goes_on_after_a_number(self) -> None:
        for number in range(5):
            use(f"e{number}", number, at=f"2026-03-{20 - number}T00:00:00Z")
        (snapshot,) = take(window())
        use("late", 9)
        page = queries.snapshot_events(snapshot, limit=3)
        assert [row.event_id for row in page] == ["e0", "e1", "e2"]
        rest = queries.snapshot_events(snapshot, after_seq=page[-1].seq, limit=3)
        assert [(row.event_id, row.value) for row in rest] == [("e3", 3), ("e4", 4)]

    def test_they_give_the_snapshot_when_the_reference_counts_them(self) -> None:
        for number, tokens in enumerate(["0.1", "0.2", "-5"]):
            use(f"e{number}", 1, output_tokens=tokens)
        usage.meter("output-tokens", value_property="output_tokens")
        (snapshot,) = take(window("output-tokens"))
        rows = list(queries.iterate_snapshot_events(snapshot))
        seen = [
            Observation(
                occurred_at=row.occurred_at,
                received_at=row.received_at,
                event_id=row.event_id,
                source=row.source,
                value=row.value,
            )
            for row in rows
        ]
        assert (
            aggregation.measure(seen, reading=Reading(aggregation="sum")).quantity
            == snapshot.quantity
            == Decimal("-4.7")
        )
        assert aggregation.digest(row.fingerprint for row in rows) == snapshot.digest
        assert rows[0].data == {"input_tokens": 1, "output_tokens": "0.1"}
        assert rows[0].batch_id == UsageEvent.objects.get(event_id="e0").batch_id
