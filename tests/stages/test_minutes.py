"""Minutes of capture: recorded once when they are over, and shifts opened for review once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from metering import minutes, reviews
from metering.models import (
    ArrivalMinute,
    ArrivalProgress,
    ArrivalStream,
    CaptureBatch,
    HealthPolicy,
    ReviewItem,
    ReviewStep,
)
from metering.store.postgres import read_clock
from tests.builders import guards, usage

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def deliver(
    at: datetime,
    accepted: int = 0,
    duplicates: int = 0,
    quarantined: int = 0,
    *,
    source: str = "api/eu",
    channel: str = "http",
) -> None:
    """A delivery that left only its counts."""
    line = {"source": source, "type": "t", "accepted": accepted, "duplicates": duplicates, "quarantined": quarantined}
    CaptureBatch.objects.create(
        channel=channel,
        origin="test",
        received_at=at,
        received=accepted + duplicates + quarantined,
        accepted=accepted,
        duplicates=duplicates,
        quarantined=quarantined,
        tallies=[line],
    )


def recorded() -> list[tuple[str, datetime, int, int, int]]:
    rows = ArrivalMinute.objects.select_related("stream").order_by("minute", "stream__source")
    return [
        (row.stream.source if row.stream else "all", row.minute, row.accepted, row.duplicates, row.quarantined)
        for row in rows
    ]


class TestRecording:
    def test_a_minute_has_a_row_per_stream_and_one_for_all(self) -> None:
        deliver(NOON, 3, 1)
        deliver(NOON + timedelta(seconds=59), 2, 0, 4, source="api/us")
        deliver(NOON + timedelta(seconds=30), 1)
        minutes.record_minutes(until=NOON + MINUTE)
        assert recorded() == [
            ("api/eu", NOON, 4, 1, 0),
            ("api/us", NOON, 2, 0, 4),
            ("all", NOON, 6, 1, 4),
        ]

    def test_it_goes_on_where_it_was_and_records_nothing_twice(self) -> None:
        deliver(NOON, 1)
        minutes.record_minutes(until=NOON + MINUTE)
        minutes.record_minutes(until=NOON + MINUTE)
        deliver(NOON + 90 * MINUTE, 2)
        minutes.record_minutes(until=NOON + 200 * MINUTE)
        assert [row[1:3] for row in recorded() if row[0] == "api/eu"] == [(NOON, 1), (NOON + 90 * MINUTE, 2)]
        assert ArrivalProgress.objects.get().recorded_until == NOON + 200 * MINUTE
        stream = ArrivalStream.objects.get()
        assert (stream.first_minute, stream.last_minute) == (NOON, NOON + 90 * MINUTE)

    def test_a_release_was_received_when_it_first_came(self) -> None:
        deliver(NOON, 0, 0, 1)
        deliver(NOON, 1, channel="release")
        minutes.record_minutes(until=NOON + MINUTE)
        assert recorded()[0] == ("api/eu", NOON, 0, 0, 1)

    def test_the_lag_is_that_of_the_events_of_the_minute(self) -> None:
        usage.house()
        now = read_clock()
        events = [
            usage.event(str(number), time=(now - timedelta(seconds=number)).isoformat()) for number in range(1, 101)
        ]
        usage.capture(*events, at=now)
        minutes.record_minutes(until=minutes.floor_minute(now) + 2 * MINUTE)
        for row in ArrivalMinute.objects.all():
            assert row.lag_p50 is not None
            assert row.lag_p95 is not None
            assert row.lag_max is not None
            assert (50 <= row.lag_p50 < 60, 95 <= row.lag_p95 < 105, 100 <= row.lag_max < 110) == (True, True, True)
            assert row.lag_count == 100
        assert ArrivalMinute.objects.count() == 2

    def test_the_minute_that_runs_is_left_for_later(self) -> None:
        usage.house()
        usage.capture(usage.event())
        until = minutes.record_minutes()
        assert until <= read_clock()
        assert until.second == 0
        assert not ArrivalMinute.objects.filter(minute__gte=until).exists()

    def test_what_is_recorded_is_fixed(self) -> None:
        deliver(NOON, 1)
        minutes.record_minutes(until=NOON + MINUTE)
        assert guards.keeps_its_rows(ArrivalMinute)
        with pytest.raises(IntegrityError), transaction.atomic():
            ArrivalMinute.objects.create(minute=NOON, accepted=1, duplicates=0, quarantined=0)


def steady(*, start: datetime, count: int, source: str = "api/eu") -> None:
    """A source that sends 100 events a minute, two of them held back."""
    for number in range(count):
        deliver(start + number * MINUTE, 98, 0, 2, source=source)


def look(at: datetime) -> list[ReviewItem]:
    minutes.record_minutes(until=at)
    minutes.watch_streams(until=at, at=at)
    return list(ReviewItem.objects.order_by("pk"))


def office_hours(*, weeks: int, until: datetime, drop: tuple[datetime, datetime] | None = None) -> None:
    """Minute by minute from Monday to Friday, 8 to 18 o'clock, recorded as capture would have."""
    stream = ArrivalStream.objects.create(source="api/eu", event_type="t", first_minute=NOON, last_minute=NOON)
    mornings = [NOON - timedelta(hours=4) + timedelta(days=day) for day in range(7 * weeks) if day % 7 < 5]
    sent = [morning + number * MINUTE for morning in mornings for number in range(600)]
    rows = [
        ArrivalMinute(stream=stream, minute=minute, accepted=9, duplicates=0, quarantined=0)
        for minute in sent
        if minute < until and not (drop and drop[0] <= minute < drop[1])
    ]
    ArrivalMinute.objects.bulk_create(rows)
    ArrivalStream.objects.update(last_minute=rows[-1].minute)
    ArrivalProgress.objects.create(recorded_until=until)


def watched(until: datetime) -> list[str]:
    minutes.watch_streams(until=until, at=until)
    return list(ReviewItem.objects.values_list("before", flat=True))


class TestOfficeHours:
    """NOON is a Monday's."""

    @pytest.mark.parametrize(("day", "hour"), [(11, 22), (12, 12), (13, 12), (13, 23), (14, 7)])
    def test_a_weekend_like_the_one_before_is_no_silence(self, day: int, hour: int) -> None:
        until = NOON - timedelta(hours=12) + timedelta(days=day, hours=hour)
        office_hours(weeks=5, until=until)
        assert watched(until) == []

    def test_a_workday_that_begins_silent_is_missed_after_nineteen_minutes(self) -> None:
        morning = NOON - timedelta(hours=4) + timedelta(days=29)
        office_hours(weeks=5, until=morning)
        assert watched(morning + 18 * MINUTE) == []
        assert watched(morning + 19 * MINUTE) == ["in 4 weeks, at least 19 minutes with events in these hours"]

    def test_people_who_come_and_go_an_hour_later_by_this_clock_are_not_missed(self) -> None:
        """In autumn clocks are put back, and UTC is not: on Monday they left at 19, on Tuesday they come at 9."""
        morning = NOON - timedelta(hours=4) + timedelta(days=29)
        office_hours(weeks=5, until=morning)
        last = morning - 13 * timedelta(hours=1) - MINUTE
        stream = ArrivalStream.objects.get()
        ArrivalMinute.objects.create(stream=stream, minute=last, accepted=9, duplicates=0, quarantined=0)
        ArrivalStream.objects.update(last_minute=last)
        assert watched(morning + 59 * MINUTE) == []
        assert watched(morning + 79 * MINUTE) != []

    def test_an_outage_does_not_hide_the_next_one(self) -> None:
        """On Tuesday nobody could send for six hours; on Thursday at noon it stops again."""
        tuesday = NOON + timedelta(days=29)
        thursday = NOON + timedelta(days=31)
        office_hours(weeks=5, until=thursday, drop=(tuesday, tuesday + timedelta(hours=6)))
        assert watched(thursday + 18 * MINUTE) == []
        assert watched(thursday + 19 * MINUTE) != []


class TestWatching:
    def test_a_steady_source_gives_nothing_to_review(self) -> None:
        steady(start=NOON, count=200)
        assert look(NOON + 200 * MINUTE) == []

    def test_a_shift_opens_one_item_however_long_it_goes_on(self) -> None:
        steady(start=NOON, count=180)
        for number in range(180, 190):
            deliver(NOON + number * MINUTE, 50, 0, 50)
            found = look(NOON + (number + 1) * MINUTE)
        (item,) = found
        assert (item.kind, item.status, item.owner) == ("acceptance_fell", "open", None)
        assert item.stream.source == "api/eu"
        assert item.before == "98.00 % of 12000 events"
        assert item.minute < item.last_seen_at == NOON + 190 * MINUTE
        assert [(step.status_before, step.status_after) for step in item.steps.all()] == [("", "open")]

    def test_another_source_has_an_item_of_its_own(self) -> None:
        for source in ("api/eu", "api/us"):
            steady(start=NOON, count=180, source=source)
            for number in range(180, 185):
                deliver(NOON + number * MINUTE, 50, 0, 50, source=source)
        assert [item.stream.source for item in look(NOON + 185 * MINUTE)] == ["api/eu", "api/us"]

    def test_a_source_that_falls_silent_is_missed_once(self) -> None:
        steady(start=NOON, count=1000)
        assert look(NOON + 1000 * MINUTE) == []
        for number in range(1, 12):
            found = look(NOON + (1000 + number) * MINUTE)
        (item,) = found
        assert (item.kind, item.before) == ("silent", "999 pauses, the longest of 1 min")

    def test_a_resolved_silence_that_never_ended_stays_resolved(self) -> None:
        ops = usage.person("opal", "ops")
        steady(start=NOON, count=1000)
        (item,) = look(NOON + 1010 * MINUTE)
        reviews.resolve_item(item_id=item.pk, actor=ops, reason="It was switched off.", at=NOON)
        assert len(look(NOON + 2000 * MINUTE)) == 1
        steady(start=NOON + 2000 * MINUTE, count=10)
        assert len(look(NOON + 2010 * MINUTE)) == 1

    def test_a_shift_that_comes_back_after_it_was_resolved_is_a_new_item(self) -> None:
        ops = usage.person("opal", "ops")
        steady(start=NOON, count=180)
        for number in range(180, 183):
            deliver(NOON + number * MINUTE, 50, 0, 50)
        (item,) = look(NOON + 183 * MINUTE)
        reviews.resolve_item(item_id=item.pk, actor=ops, reason="A bad deployment, taken back.", at=NOON)
        assert len(look(NOON + 184 * MINUTE)) == 1
        steady(start=NOON + 184 * MINUTE, count=200)
        deliver(NOON + 384 * MINUTE, 50, 0, 500)
        assert len(look(NOON + 385 * MINUTE)) == 2

    def test_a_source_that_sleeps_at_night_is_held_against_its_day_before(self) -> None:
        """It comes back after ten hours, and all that it sends is held back: the hours between say nothing."""
        steady(start=NOON, count=180)
        morning = NOON + 780 * MINUTE
        deliver(morning, 0, 0, 60)
        (item,) = look(morning + MINUTE)
        assert (item.kind, item.before, item.now) == (
            "acceptance_fell",
            "98.00 % of 12000 events",
            "0.00 % of 60 events",
        )

    def test_a_source_that_sends_one_event_an_hour_is_judged_by_its_last_fifty(self) -> None:
        """Fisher: 16 of 50 against none of 120 is C(50, 16) / C(170, 16), below one in ten million."""
        for hour in range(170):
            deliver(NOON + 60 * hour * MINUTE, *((0, 0, 1) if hour >= 154 else (1, 0, 0)))
        assert look(NOON + 60 * 163 * MINUTE + MINUTE) == []
        (item,) = look(NOON + 60 * 169 * MINUTE + MINUTE)
        assert (item.kind, item.before, item.now) == (
            "acceptance_fell",
            "100.00 % of 120 events",
            "68.00 % of 50 events",
        )

    def test_a_shift_that_came_and_went_while_no_worker_ran_is_found_afterwards(self) -> None:
        steady(start=NOON, count=180)
        minutes.record_minutes(until=NOON + 180 * MINUTE)
        for number in range(180, 190):
            deliver(NOON + number * MINUTE, 0, 0, 100)
        steady(start=NOON + 190 * MINUTE, count=60)
        minutes.record_and_watch(at=NOON, until=NOON + 250 * MINUTE)
        (item,) = ReviewItem.objects.all()
        assert (item.kind, item.minute) == ("acceptance_fell", NOON + 185 * MINUTE)

    def test_a_new_version_of_the_policy_decides_from_then_on(self) -> None:
        former = HealthPolicy.objects.get()
        former.pk, former.version, former.events_min = None, 2, 100_000
        former.save(force_insert=True)
        steady(start=NOON, count=180)
        deliver(NOON + 180 * MINUTE, 0, 0, 500)
        assert look(NOON + 181 * MINUTE) == []

    def test_a_version_of_the_policy_never_changes(self) -> None:
        assert guards.keeps_its_rows(HealthPolicy)
        assert HealthPolicy.objects.get().false_alarm_rate == Decimal("1e-7")

    def test_an_item_is_kept_with_all_its_steps(self) -> None:
        steady(start=NOON, count=180)
        deliver(NOON + 180 * MINUTE, 0, 0, 500)
        look(NOON + 181 * MINUTE)
        assert guards.refuses("DELETE FROM metering_reviewitem")
        assert guards.refuses("UPDATE metering_reviewitem SET before = 'x'")
        assert guards.keeps_its_rows(ReviewStep)
