"""Shares of a period by second and by local day."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.periods import Period
from invoicing.rating.rules import proration
from invoicing.rating.rules.proration import Share


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# October 2026 in Berlin: 31 local days, one of them with 25 hours.
OCTOBER = Period(utc("2026-09-30T22:00"), utc("2026-10-31T23:00"))


def share(segment: Period, *, ends_at: datetime | None = None, whole: Period = OCTOBER, unit: str = "day") -> Share:
    return proration.share_of_segment(segment=segment, ends_at=ends_at, whole=whole, unit=unit, zone="Europe/Berlin")


def test_a_whole_period_is_one() -> None:
    assert share(OCTOBER) == Share(31, 31, "day")
    assert str(share(OCTOBER)) == "Whole period"


def test_the_day_of_a_change_belongs_to_what_begins_on_it() -> None:
    change = utc("2026-10-15T11:30")
    before = share(Period(OCTOBER.start, change))
    after = share(Period(change, OCTOBER.end))
    assert (before, after) == (Share(14, 31, "day"), Share(17, 31, "day"))
    assert str(before) == "14 of 31 days"


def test_the_first_and_the_last_day_of_a_subscription_are_charged_in_full() -> None:
    started = Period(utc("2026-10-10T17:00"), utc("2026-10-20T08:00"))
    assert share(started, ends_at=started.end) == Share(11, 31, "day")  # 10 to 20 October


def test_where_what_is_billed_ends_before_the_subscription_the_day_belongs_to_what_follows() -> None:
    cut, end = utc("2026-10-20T08:00"), utc("2026-10-25T08:00")
    parts = [share(Period(OCTOBER.start, cut), ends_at=end), share(Period(cut, end), ends_at=end)]
    assert parts == [Share(19, 31, "day"), Share(6, 31, "day")]  # 1 to 19, and 20 to 25 October


@pytest.mark.parametrize("unit", ["day", "day30", "second"])
def test_an_end_in_another_period_adds_nothing_to_this_one(unit: str) -> None:
    assert share(OCTOBER, ends_at=utc("2026-11-20T08:00"), unit=unit) == share(OCTOBER, unit=unit)


def test_an_end_at_local_midnight_does_not_open_another_day() -> None:
    ended = Period(OCTOBER.start, utc("2026-10-20T22:00"))
    assert share(ended, ends_at=ended.end) == Share(20, 31, "day")


def test_a_subscription_of_one_day_is_charged_for_one_day() -> None:
    brief = Period(utc("2026-10-01T09:00"), utc("2026-10-01T10:00"))
    assert share(brief, ends_at=brief.end) == Share(1, 31, "day")


def test_two_changes_on_one_day_leave_nothing_for_what_lay_between() -> None:
    first, second = utc("2026-10-15T08:00"), utc("2026-10-15T18:00")
    parts = [share(Period(OCTOBER.start, first)), share(Period(first, second)), share(Period(second, OCTOBER.end))]
    assert [each.part for each in parts] == [14, 0, 17]


def test_by_second_the_hour_that_comes_twice_counts() -> None:
    night = Period(utc("2026-10-24T22:00"), utc("2026-10-25T23:00"))  # 25 October, 25 hours
    found = share(night, unit="second")
    assert Decimal(found.part) / found.whole == Decimal(25) / (31 * 24 + 1)
    assert str(found) == "90000 of 2682000 seconds"


def test_fractions_of_a_second_are_kept() -> None:
    found = share(Period(OCTOBER.start, utc("2026-09-30T22:00:00.000001")), unit="second")
    assert found == Share(1, 2_682_000_000_000, "second")
    assert str(found) == "0.000001 of 2682000 seconds"


FEBRUARY = Period(utc("2023-02-15T00:00"), utc("2023-03-15T00:00"))


@pytest.mark.parametrize(
    ("begin", "end", "days"),
    [
        ("2023-02-23", "2023-03-15", 22),  # Kill Bill, TestInvoiceDateUtilsWithFixedProration
        ("2023-02-15", "2023-02-23", 8),
        ("2023-02-15", "2023-02-28", 15),  # the last day of any month is its thirtieth
        ("2023-02-28", "2023-03-01", 1),
        ("2023-03-01", "2023-03-15", 14),
    ],
)
def test_by_months_of_thirty_days_february_has_thirty(begin: str, end: str, days: int) -> None:
    segment = Period(utc(f"{begin}T00:00"), utc(f"{end}T00:00"))
    found = proration.share_of_segment(segment=segment, ends_at=None, whole=FEBRUARY, unit="day30", zone="UTC")
    assert found == Share(days, 30, "day30")
    assert str(found) == f"{days} of 30 days (months of 30 days)"


def test_the_days_of_another_zone_add_up_to_the_whole_as_well() -> None:
    """Midnight in Berlin is 07:00 in Tokyo: the 15th at 03:00 in Berlin is the 15th at 10:00 there."""
    change = utc("2026-10-15T01:00")
    parts = [
        proration.share_of_segment(segment=segment, ends_at=None, whole=OCTOBER, unit="day", zone="Asia/Tokyo")
        for segment in (Period(OCTOBER.start, change), Period(change, OCTOBER.end))
    ]
    assert parts == [Share(14, 31, "day"), Share(17, 31, "day")]


def test_a_last_day_that_another_zone_begins_before_the_period_is_over_is_not_counted_twice() -> None:
    ended = Period(OCTOBER.start, utc("2026-10-31T22:00"))  # an hour before the end; the first of November in Tokyo
    found = proration.share_of_segment(segment=ended, ends_at=ended.end, whole=OCTOBER, unit="day", zone="Asia/Tokyo")
    assert found == Share(31, 31, "day")


@pytest.mark.parametrize("unit", ["day", "day30", "second"])
def test_the_shares_of_a_period_add_up_to_it(unit: str) -> None:
    cuts = [
        OCTOBER.start,
        utc("2026-10-03T04:05:06.789"),
        utc("2026-10-25T00:30"),
        utc("2026-10-25T01:30"),
        OCTOBER.end,
    ]
    shares = [share(Period(start, end), unit=unit) for start, end in itertools.pairwise(cuts)]
    assert sum(each.part for each in shares) == shares[0].whole
