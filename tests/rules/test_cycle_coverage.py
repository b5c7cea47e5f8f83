"""What is left of a period once closed cycles are cut out of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import Period
from invoicing.cycle.rules import coverage


def days(first: int, last: int) -> Period:
    return Period(datetime(2026, 10, first, tzinfo=UTC), datetime(2026, 10, last, tzinfo=UTC))


@pytest.mark.parametrize(
    ("closed", "left"),
    [
        ([], [days(10, 20)]),
        ([days(10, 20)], []),
        ([days(1, 31)], []),
        ([days(1, 10), days(20, 25)], [days(10, 20)]),
        ([days(5, 12)], [days(12, 20)]),
        ([days(18, 25)], [days(10, 18)]),
        ([days(12, 14), days(16, 17)], [days(10, 12), days(14, 16), days(17, 20)]),
        ([days(16, 17), days(12, 14)], [days(10, 12), days(14, 16), days(17, 20)]),
        ([days(10, 14), days(14, 20)], []),
    ],
)
def test_only_what_no_cycle_closed_is_left(closed: list[Period], left: list[Period]) -> None:
    assert coverage.uncovered(days(10, 20), closed=closed) == left


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)).filter(lambda pair: pair[0] < pair[1]), max_size=5))
def test_every_day_is_either_closed_or_left_and_never_both(spans: list[tuple[int, int]]) -> None:
    closed = [days(first, last) for first, last in spans]
    left = coverage.uncovered(days(3, 27), closed=closed)
    for day in range(3, 27):
        instant = datetime(2026, 10, day, 12, tzinfo=UTC)
        is_closed = any(period.contains(instant) for period in closed)
        assert sum(period.contains(instant) for period in left) == (not is_closed)
