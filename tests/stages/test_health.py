"""How late usage came over a stretch of time: from recorded minutes, and of the newest ones from their events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from metering import health, minutes
from metering.models import ArrivalMinute, ArrivalProgress, ArrivalStream, CaptureBatch
from metering.store.arrivals import Lag, Stream
from metering.store.postgres import read_clock
from tests.builders import usage

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def record(minute: datetime, *, lag: tuple[Decimal | int, ...], count: int | None, accepted: int = 1) -> None:
    """A minute of one stream and of all, as the worker would have recorded it."""
    stream, _ = ArrivalStream.objects.get_or_create(
        source="api/eu", event_type="t", defaults={"first_minute": NOON, "last_minute": NOON}
    )
    for each in (stream, None):
        ArrivalMinute.objects.create(
            stream=each,
            minute=minute,
            accepted=accepted,
            duplicates=0,
            quarantined=0,
            lag_p50=lag[0],
            lag_p95=lag[1],
            lag_max=lag[2],
            lag_count=count,
        )


def lag(start: datetime, end: datetime) -> tuple[Decimal | None, ...]:
    return tuple(health.measure_health(start=start, end=end).whole.lag)


class TestRecordedMinutes:
    @pytest.fixture(autouse=True)
    def recorded(self) -> None:
        ArrivalProgress.objects.create(recorded_until=NOON + 60 * MINUTE)

    def test_one_minute_says_what_it_recorded(self) -> None:
        record(NOON, lag=(1, 2, 3), count=100)
        assert lag(NOON, NOON + MINUTE) == (1, 2, 3)

    def test_events_of_two_minutes_are_no_later_than_it_says(self) -> None:
        """Of 200 events 50 count as 1 s, 45 as 2, 5 as 3, 50 as 10, 45 as 20 and 5 as 30."""
        record(NOON, lag=(1, 2, 3), count=100)
        record(NOON + MINUTE, lag=(10, 20, 30), count=100)
        assert lag(NOON, NOON + 2 * MINUTE) == (3, 20, 30)

    def test_minutes_that_are_alike_are_as_late_as_each_of_them(self) -> None:
        for number in range(10):
            record(NOON + number * MINUTE, lag=(1, 2, 3), count=7)
        assert lag(NOON, NOON + 10 * MINUTE) == (1, 2, 3)

    def test_a_minute_of_one_event_weighs_no_more_than_it(self) -> None:
        record(NOON, lag=(1, 2, 3), count=999)
        record(NOON + MINUTE, lag=(3600, 3600, 3600), count=1)
        assert lag(NOON, NOON + 2 * MINUTE) == (1, 2, 3600)

    def test_what_came_by_file_in_the_same_minute_has_no_weight(self) -> None:
        """A hundred thousand rows of a file beside one event by HTTP; then 999 by HTTP."""
        record(NOON, lag=(50, 60, 70), count=1, accepted=100_001)
        record(NOON + MINUTE, lag=(1, 2, 3), count=999, accepted=999)
        assert lag(NOON, NOON + 2 * MINUTE) == (1, 2, 70)

    def test_a_minute_recorded_before_events_were_counted_weighs_as_much_as_was_accepted(self) -> None:
        record(NOON, lag=(1, 2, 3), count=None, accepted=999)
        record(NOON + MINUTE, lag=(50, 60, 70), count=1)
        assert lag(NOON, NOON + 2 * MINUTE) == (1, 2, 70)

    def test_figures_have_three_digits_rounded_up_and_the_highest_is_exact(self) -> None:
        record(NOON, lag=(Decimal("1.2341"), Decimal("1234.1"), Decimal("98765.4321")), count=100)
        assert lag(NOON, NOON + MINUTE) == (Decimal("1.24"), 1240, Decimal("98765.4321"))

    def test_no_figure_is_above_the_highest(self) -> None:
        record(NOON, lag=(Decimal("1.2341"), Decimal("1.2342"), Decimal("1.2343")), count=100)
        assert lag(NOON, NOON + MINUTE) == (Decimal("1.2343"), Decimal("1.2343"), Decimal("1.2343"))

    def test_an_event_of_the_future_has_a_lag_below_zero(self) -> None:
        """Clocks differ: half a second and a little more."""
        record(NOON, lag=(Decimal("-0.5004"), 2, 3), count=100)
        assert lag(NOON, NOON + MINUTE) == (Decimal("-0.5"), 2, 3)

    def test_minutes_outside_the_stretch_do_not_count(self) -> None:
        record(NOON - MINUTE, lag=(50, 60, 70), count=9)
        record(NOON, lag=(1, 2, 3), count=9)
        record(NOON + MINUTE, lag=(50, 60, 70), count=9)
        assert lag(NOON + timedelta(seconds=30), NOON + MINUTE) == (1, 2, 3)

    def test_a_stream_has_its_own(self) -> None:
        record(NOON, lag=(1, 2, 3), count=9)
        line = {"source": "api/eu", "type": "t", "accepted": 9, "duplicates": 0, "quarantined": 0}
        CaptureBatch.objects.create(
            channel="http",
            origin="test",
            received_at=NOON,
            received=9,
            accepted=9,
            duplicates=0,
            quarantined=0,
            tallies=[line],
        )
        (found,) = health.measure_health(start=NOON, end=NOON + MINUTE).streams.items()
        assert (found[0], found[1].lag) == (Stream("api/eu", "t"), Lag(Decimal(1), Decimal(2), Decimal(3)))

    def test_events_of_recorded_minutes_are_not_read(self) -> None:
        usage.house()
        now = read_clock()
        usage.capture(usage.event("a", time=(now - timedelta(seconds=10)).isoformat()), at=now)
        ArrivalProgress.objects.update(recorded_until=now + MINUTE)
        assert lag(now - timedelta(hours=1), now + MINUTE) == (None, None, None)


class TestNewestMinutes:
    def test_they_are_measured_from_events_beside_what_is_recorded(self) -> None:
        """Three events of the minute before, at 1, 2 and 3 s; one since, ten minutes old."""
        usage.house()
        now = read_clock()
        this = minutes.floor_minute(now)
        ArrivalProgress.objects.create(recorded_until=this)
        record(this - MINUTE, lag=(1, 2, 3), count=3)
        usage.capture(usage.event("a", time=(now - timedelta(seconds=600)).isoformat()), at=now)
        p50, p95, highest = lag(this - MINUTE, this + 2 * MINUTE)
        assert p50 == 1
        (stream,) = health.measure_health(start=this, end=this + 2 * MINUTE).streams.items()
        assert (stream[0], stream[1].lag.max) == (Stream("api/eu", "llm.tokens"), highest)
        assert p95 is not None
        assert p95 == highest
        assert 600 <= p95 < 630

    def test_without_recorded_minutes_only_the_last_ten_are_measured(self) -> None:
        usage.house()
        now = read_clock()
        usage.capture(usage.event("a", time=(now - timedelta(seconds=600)).isoformat()), at=now)
        assert lag(now - timedelta(hours=24), now + MINUTE)[0] is not None
        assert lag(now - timedelta(hours=24), now + 30 * MINUTE)[0] is None
