"""Gaps between windows, and the buckets by which usage is shown."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import buckets
from metering.rules.windows import find_gaps

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@pytest.mark.parametrize(
    ("covered", "gaps"),
    [
        ([], [(0, 31)]),
        ([(0, 31)], []),
        ([(0, 15), (15, 31)], []),
        ([(15, 31), (0, 14)], [(14, 15)]),
        ([(0, 20), (10, 12)], [(20, 31)]),
        ([(-5, 3), (40, 50)], [(3, 31)]),
        ([(5, 31)], [(0, 5)]),
        ([(31, 40)], [(0, 31)]),
    ],
)
def test_gaps_are_what_no_window_covers(covered: list[tuple[int, int]], gaps: list[tuple[int, int]]) -> None:
    found = find_gaps(day(0), day(31), covered=[(day(start), day(end)) for start, end in covered])
    assert found == [(day(start), day(end)) for start, end in gaps]


spans = st.tuples(st.integers(-5, 35), st.integers(-5, 35)).filter(lambda span: span[0] < span[1])


@given(covered=st.lists(spans, max_size=6))
def test_every_day_is_covered_or_in_exactly_one_gap(covered: list[tuple[int, int]]) -> None:
    gaps = find_gaps(day(0), day(31), covered=[(day(start), day(end)) for start, end in covered])
    for number in range(31):
        is_covered = any(start <= number < end for start, end in covered)
        assert sum(start <= day(number) < end for start, end in gaps) == (0 if is_covered else 1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "Z")


def test_days_begin_at_local_midnight_and_the_first_at_the_start() -> None:
    found = buckets.bucket_starts(utc("2026-03-28T10:00"), utc("2026-03-30T12:00"), window="day", zone="Europe/Berlin")
    # Clocks went forward on 29 March: midnight moves from 23:00 to 22:00 UTC.
    assert found == [utc("2026-03-28T10:00"), utc("2026-03-28T23:00"), utc("2026-03-29T22:00")]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28T23:00", "2026-03-29T22:00", 23),
        ("2026-10-24T22:00", "2026-10-25T23:00", 25),
        ("2026-07-01T22:00", "2026-07-02T22:00", 24),
    ],
    ids=["clocks forward", "clocks back", "any other day"],
)
def test_a_local_day_has_as_many_hours_as_it_lasts(start: str, end: str, hours: int) -> None:
    found = buckets.bucket_starts(utc(start), utc(end), window="hour", zone="Europe/Berlin")
    assert len(found) == hours
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=1)}


def test_hours_of_a_zone_with_half_an_hour_begin_at_its_own_hours() -> None:
    found = buckets.bucket_starts(utc("2026-03-01T10:00"), utc("2026-03-01T12:00"), window="hour", zone="Asia/Kolkata")
    assert found == [utc("2026-03-01T10:00"), utc("2026-03-01T10:30"), utc("2026-03-01T11:30")]


def test_months_begin_at_local_midnight_of_the_first() -> None:
    found = buckets.bucket_starts(
        utc("2026-01-01T05:00"), utc("2026-04-01T04:00"), window="month", zone="America/New_York"
    )
    assert found == [utc("2026-01-01T05:00"), utc("2026-02-01T05:00"), utc("2026-03-01T05:00")]


def test_a_day_that_a_zone_skipped_gives_no_bucket() -> None:
    # Samoa had no 30 December 2011.
    found = buckets.bucket_starts(utc("2011-12-29T10:00"), utc("2011-12-31T10:00"), window="day", zone="Pacific/Apia")
    assert found == [utc("2011-12-29T10:00"), utc("2011-12-30T10:00")]


def test_more_buckets_than_anybody_reads_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 10000 hours"):
        buckets.bucket_starts(utc("2020-01-01T00:00"), utc("2026-01-01T00:00"), window="hour", zone="UTC")
