"""Time is cut at every change of plan and price, and nowhere else."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.periods import Interval, Period
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Dated, Stretch, Terms

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number - 1)


JANUARY = Period(day(1), day(32))


def monthly(*, starts: float = 1, ends: float | None = None, zone: str = "UTC") -> Terms:
    return Terms(date(2026, 1, 1), Interval.MONTH, zone, day(starts), None if ends is None else day(ends))


def test_versions_follow_each_other_by_instant() -> None:
    found = timeline.in_force([Dated(7, day(10), 2), Dated(5, day(1), 1)])
    assert found == [Stretch(5, day(1), day(10)), Stretch(7, day(10), None)]


def test_of_versions_with_one_instant_the_highest_counts() -> None:
    found = timeline.in_force([Dated(1, day(1), 1), Dated(2, day(10), 2), Dated(3, day(10), 3), Dated(4, day(20), 4)])
    assert found == [Stretch(1, day(1), day(10)), Stretch(3, day(10), day(20)), Stretch(4, day(20), None)]


def test_without_versions_nothing_is_in_force() -> None:
    assert timeline.in_force([]) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([15], [(1, 1, 15), (2, 15, 32)]),
        ([1], [(2, 1, 32)]),  # on the first instant: the new one has the whole period
        ([32], [(1, 1, 32)]),  # on the last: the old one has
        ([0.5], [(2, 1, 32)]),
        ([15, 15.5], [(1, 1, 15), (2, 15, 15.5), (3, 15.5, 32)]),
    ],
)
def test_a_change_splits_the_period_at_its_instant(
    changes: list[float], expected: list[tuple[int, float, float]]
) -> None:
    instants = [day(-300), *(day(change) for change in changes)]
    stretches = timeline.in_force([Dated(index, instant, index) for index, instant in enumerate(instants, start=1)])
    found = list(timeline.cut(JANUARY, stretches))
    assert found == [(key, Period(day(start), day(end))) for key, start, end in expected]


def test_an_event_on_the_instant_is_in_the_new_part_only() -> None:
    stretches = [Stretch(1, day(1), day(15)), Stretch(2, day(15), None)]
    holding = [key for key, part in timeline.cut(JANUARY, stretches) if part.contains(day(15))]
    assert holding == [2]


def test_a_price_that_begins_inside_leaves_what_is_before_uncovered() -> None:
    found = list(timeline.cut(JANUARY, [Stretch(1, day(20), None)]))
    assert found == [(1, Period(day(20), day(32)))]


def test_a_subscription_owes_every_month_that_is_over() -> None:
    found = list(timeline.ended_periods(monthly(starts=10.5), as_of=day(60)))
    assert found == [Period(day(10.5), day(32)), Period(day(32), day(60))]


def test_nothing_is_due_before_the_first_period_is_over() -> None:
    assert list(timeline.ended_periods(monthly(), as_of=day(32) - timedelta(microseconds=1))) == []
    assert list(timeline.ended_periods(monthly(starts=40), as_of=day(20))) == []


def test_an_end_inside_a_period_makes_the_last_one_short() -> None:
    found = list(timeline.ended_periods(monthly(ends=40.25), as_of=day(90)))
    assert found == [Period(day(1), day(32)), Period(day(32), day(40.25))]
    assert list(timeline.ended_periods(monthly(ends=40.25), as_of=day(40))) == [Period(day(1), day(32))]


def test_an_end_on_a_boundary_opens_no_further_period() -> None:
    assert list(timeline.ended_periods(monthly(ends=32), as_of=day(90))) == [Period(day(1), day(32))]


def test_a_subscription_within_one_period_owes_that_part() -> None:
    found = list(timeline.ended_periods(monthly(starts=5, ends=7), as_of=day(90)))
    assert found == [Period(day(5), day(7))]


def test_the_customers_zone_decides_when_a_month_is_over() -> None:
    midnight_utc = datetime(2026, 2, 1, tzinfo=UTC)
    assert list(timeline.ended_periods(monthly(zone="America/New_York"), as_of=midnight_utc)) == [
        Period(day(1), datetime(2026, 1, 1, 5, tzinfo=UTC))  # five hours of New York's old year
    ]
    assert len(list(timeline.ended_periods(monthly(zone="America/New_York"), as_of=midnight_utc.replace(hour=5)))) == 2


def test_the_whole_period_is_known_for_a_part_of_it() -> None:
    assert timeline.whole_period(monthly(starts=10), instant=day(10)) == JANUARY


@pytest.mark.parametrize(
    ("terms", "as_of", "expected"),
    [
        (monthly(), day(31.9), None),
        (monthly(), day(32), (1, 32)),
        (monthly(), day(70), (32, 60)),
        (monthly(starts=10.5), day(40), (10.5, 32)),
        (monthly(starts=10.5), day(20), None),
        (monthly(ends=40.25), day(40.25), (32, 40.25)),
        (monthly(ends=40.25), day(40), (1, 32)),
        (monthly(ends=32), day(90), (1, 32)),
        (monthly(starts=5, ends=7), day(90), (5, 7)),
    ],
)
def test_the_last_period_that_was_over(terms: Terms, as_of: datetime, expected: tuple[float, float] | None) -> None:
    found = timeline.last_ended_period(terms, as_of=as_of)
    assert found == (None if expected is None else Period(day(expected[0]), day(expected[1])))
    assert found == next(reversed([*timeline.ended_periods(terms, as_of=as_of)]), None)


@settings(deadline=None)
@given(
    st.lists(st.integers(-2000, 2000), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(-2000, 2000), min_size=1, max_size=8),
)
def test_parts_tile_the_period_wherever_plan_and_price_hold(phase_hours: list[int], price_hours: list[int]) -> None:
    first = min(phase_hours)
    phases = timeline.in_force([Dated(hour, START + timedelta(hours=hour), 1) for hour in phase_hours])
    prices = timeline.in_force(
        [Dated(version, START + timedelta(hours=hour), version) for version, hour in enumerate(price_hours)]
    )
    period = Period(START, START + timedelta(hours=744))
    parts = [part for _, stay in timeline.cut(period, phases) for _, part in timeline.cut(stay, prices)]
    covered_from = max(period.start, START + timedelta(hours=first), START + timedelta(hours=min(price_hours)))
    if covered_from >= period.end:
        assert parts == []
        return
    assert parts[0].start == covered_from
    assert parts[-1].end == period.end
    assert all(before.end == after.start for before, after in pairwise(parts))
    changes = {START + timedelta(hours=hour) for hour in (*phase_hours, *price_hours)}
    assert {part.start for part in parts[1:]} == {at for at in changes if covered_from < at < period.end}
