"""Billing periods tile time in the customer's zone, from an anchor that never drifts."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import periods
from core.periods import Interval, Period

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Africa/Cairo",  # clocks change at midnight
    "America/Havana",  # midnight comes twice
    "Pacific/Apia",  # skipped 30 December 2011
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ends(anchor: date, *, interval: Interval, count: int) -> list[date]:
    start = datetime.combine(anchor, datetime.min.time(), UTC)
    found = periods.billing_periods(
        anchor=anchor, interval=interval, zone="UTC", start=start, until=utc("2100-01-01T00:00")
    )
    return [period.end.date() for period in islice(found, count)]


@pytest.mark.parametrize(
    ("anchor", "interval", "expected"),
    [
        ("2024-01-31", Interval.MONTH, ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]),
        ("2025-01-30", Interval.MONTH, ["2025-02-28", "2025-03-30", "2025-04-30"]),
        ("2024-02-29", Interval.YEAR, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2023-11-30", Interval.QUARTER, ["2024-02-29", "2024-05-30", "2024-08-30", "2024-11-30"]),
        ("2026-03-02", Interval.WEEK, ["2026-03-09", "2026-03-16"]),
        ("2026-12-31", Interval.DAY, ["2027-01-01", "2027-01-02"]),
    ],
)
def test_month_ends_are_counted_from_the_anchor_itself(anchor: str, interval: Interval, expected: list[str]) -> None:
    found = ends(date.fromisoformat(anchor), interval=interval, count=len(expected))
    assert found == [date.fromisoformat(text) for text in expected]


@pytest.mark.parametrize(
    ("anchor", "interval", "every", "expected"),
    [
        ("2026-01-01", Interval.DAY, 30, ["2026-01-31", "2026-03-02", "2026-04-01", "2026-05-01"]),
        ("2026-01-05", Interval.WEEK, 2, ["2026-01-19", "2026-02-02"]),
        ("2025-08-31", Interval.MONTH, 6, ["2026-02-28", "2026-08-31", "2027-02-28"]),
        ("2024-02-29", Interval.YEAR, 2, ["2026-02-28", "2028-02-29"]),
    ],
)
def test_a_period_may_be_several_intervals_long(
    anchor: str, interval: Interval, every: int, expected: list[str]
) -> None:
    day = date.fromisoformat(anchor)
    found = periods.billing_periods(
        anchor=day,
        interval=interval,
        every=every,
        zone="UTC",
        start=datetime.combine(day, datetime.min.time(), UTC),
        until=utc("2100-01-01T00:00"),
    )
    assert [period.end.date().isoformat() for period in islice(found, len(expected))] == expected


def test_a_start_inside_a_fixed_number_of_days_keeps_the_count_from_the_anchor() -> None:
    whole = periods.enclosing_period(
        anchor=date(2026, 1, 1), interval=Interval.DAY, every=30, zone="Europe/Berlin", instant=utc("2026-04-10T12:00")
    )
    assert whole == Period(utc("2026-03-31T22:00"), utc("2026-04-30T22:00"))  # the fourth thirty days, after the clocks
    before = periods.enclosing_period(
        anchor=date(2026, 1, 1), interval=Interval.DAY, every=30, zone="UTC", instant=utc("2025-12-31T23:00")
    )
    assert before == Period(utc("2025-12-02T00:00"), utc("2026-01-01T00:00"))


def test_a_start_inside_a_period_makes_the_first_one_short() -> None:
    found = periods.billing_periods(
        anchor=date(2026, 1, 1),
        interval=Interval.MONTH,
        zone="UTC",
        start=utc("2026-01-20T13:30"),
        until=utc("2026-03-01T00:00"),
    )
    assert list(found) == [
        Period(utc("2026-01-20T13:30"), utc("2026-02-01T00:00")),
        Period(utc("2026-02-01T00:00"), utc("2026-03-01T00:00")),
    ]


def test_a_period_is_over_at_its_end_and_not_before() -> None:
    def count(until: str) -> int:
        found = periods.billing_periods(
            anchor=date(2026, 1, 1),
            interval=Interval.MONTH,
            zone="Europe/Berlin",
            start=utc("2025-12-31T23:00"),
            until=utc(until),
        )
        return len(list(found))

    assert count("2026-01-31T22:59:59.999999") == 0
    assert count("2026-01-31T23:00") == 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Los_Angeles", "2025-03-09", 23),
        ("America/Los_Angeles", "2025-11-02", 25),
        ("Africa/Cairo", "2024-04-26", 23),  # begins at 01:00, for midnight is skipped
        ("America/Havana", "2025-11-02", 25),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_a_local_day_has_the_hours_that_the_clock_gives_it(zone: str, day: str, hours: int) -> None:
    local = date.fromisoformat(day)
    whole = Period(
        periods.local_midnight(local, zone=zone), periods.local_midnight(local + timedelta(days=1), zone=zone)
    )
    assert whole.microseconds == hours * 3_600_000_000
    assert periods.local_date(whole.start, zone=zone) == local
    assert periods.local_date(whole.end - timedelta(microseconds=1), zone=zone) == local


def test_a_day_that_a_zone_skips_is_no_period() -> None:
    found = periods.billing_periods(
        anchor=date(2011, 12, 28),
        interval=Interval.DAY,
        zone="Pacific/Apia",
        start=periods.local_midnight(date(2011, 12, 28), zone="Pacific/Apia"),
        until=periods.local_midnight(date(2012, 1, 1), zone="Pacific/Apia"),
    )
    days = [periods.local_date(period.start, zone="Pacific/Apia") for period in found]
    assert days == [date(2011, 12, 28), date(2011, 12, 29), date(2011, 12, 31)]


def test_the_whole_period_reaches_back_before_a_late_start() -> None:
    whole = periods.enclosing_period(
        anchor=date(2024, 4, 15), interval=Interval.QUARTER, zone="UTC", instant=utc("2024-05-20T00:00")
    )
    assert whole == Period(utc("2024-04-15T00:00"), utc("2024-07-15T00:00"))
    short = periods.period_containing(
        anchor=date(2024, 4, 15),
        interval=Interval.QUARTER,
        zone="UTC",
        start=utc("2024-05-20T00:00"),
        instant=utc("2024-06-01T00:00"),
    )
    assert short == Period(utc("2024-05-20T00:00"), utc("2024-07-15T00:00"))


def test_an_instant_on_a_boundary_belongs_to_the_period_it_opens() -> None:
    whole = periods.enclosing_period(
        anchor=date(2026, 1, 1), interval=Interval.MONTH, zone="UTC", instant=utc("2026-02-01T00:00")
    )
    assert whole.start == utc("2026-02-01T00:00")


def test_the_day_of_an_instant_is_the_local_one() -> None:
    assert periods.local_date(utc("2026-06-30T22:30"), zone="Europe/Berlin") == date(2026, 7, 1)
    assert periods.next_local_midnight(utc("2026-06-30T22:00"), zone="Europe/Berlin") == utc("2026-06-30T22:00")
    assert periods.next_local_midnight(utc("2026-06-30T22:00:01"), zone="Europe/Berlin") == utc("2026-07-01T22:00")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC)),  # noqa: DTZ001  the naive one is the point
        (utc("2026-01-02T00:00"), utc("2026-01-02T00:00")),
        (utc("2026-01-03T00:00"), utc("2026-01-02T00:00")),
    ],
)
def test_a_period_needs_two_aware_instants_in_order(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match="aware"):
        Period(start, end)


@settings(max_examples=150, deadline=None)
@given(
    anchor=st.dates(date(2005, 1, 1), date(2035, 12, 31)),
    interval=st.sampled_from(list(Interval)),
    zone=st.sampled_from(ZONES),
    start=st.datetimes(datetime(2005, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 800),
    every=st.sampled_from([1, 1, 2, 6, 28, 30, 90]),
)
def test_periods_tile_time_without_gap_or_overlap(
    anchor: date, interval: Interval, zone: str, start: datetime, days: int, every: int
) -> None:
    until = start + timedelta(days=days)
    terms: Any = {"anchor": anchor, "interval": interval, "zone": zone, "every": every}
    found = list(periods.billing_periods(start=start, until=until, **terms))
    if not found:
        return
    assert found[0].start == start
    assert all(before.end == after.start for before, after in pairwise(found))
    assert found[-1].end <= until
    for period in found:
        whole = periods.enclosing_period(instant=period.start, **terms)
        assert period.end == whole.end
        assert whole.start <= period.start
    rest = periods.enclosing_period(instant=found[-1].end, **terms)
    assert rest.end > until
