"""The scale and the bars of the usage chart."""

from datetime import date
from decimal import Decimal

import pytest

from invoicing.portal.rules import chart

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


@pytest.mark.parametrize(
    ("value", "top"),
    [
        ("0", "1"),
        ("1", "1"),
        ("1.01", "2"),
        ("2.2", "2.5"),
        ("4", "5"),
        ("99", "100"),
        ("100", "100"),
        ("1234567", "2000000"),
        ("0.0003", "0.0005"),
        ("-5", "0"),
    ],
)
def test_the_scale_ends_at_the_next_round_number(value: str, top: str) -> None:
    assert chart.round_up(Decimal(value)) == Decimal(top)


def test_a_bar_stands_in_its_day_and_reaches_its_share_of_the_scale() -> None:
    drawn = chart.draw_days({date(2026, 11, 3): Decimal(50), date(2026, 11, 30): Decimal(100)}, first=FIRST, last=LAST)
    assert drawn.width == 300
    assert [(bar.x, bar.y, bar.height) for bar in drawn.bars] == [
        (Decimal("21.5"), Decimal(50), Decimal(50)),
        (Decimal("291.5"), Decimal(0), Decimal(100)),
    ]
    assert [(line.value, line.y) for line in drawn.lines] == [(100, 0), (50, 50), (0, 100)]


def test_a_day_with_little_shows_a_sliver_and_one_with_nothing_shows_none() -> None:
    days = {date(2026, 11, 1): Decimal(1), date(2026, 11, 2): Decimal(100000), date(2026, 11, 3): Decimal(0)}
    drawn = chart.draw_days(days, first=FIRST, last=LAST)
    assert [(bar.day.day, bar.height) for bar in drawn.bars] == [(1, Decimal("0.5")), (2, Decimal(100))]


def test_values_below_zero_hang_under_the_line() -> None:
    days = {date(2026, 11, 1): Decimal(10), date(2026, 11, 2): Decimal(-10)}
    drawn = chart.draw_days(days, first=FIRST, last=LAST)
    assert [(bar.y, bar.height) for bar in drawn.bars] == [(0, 50), (50, 50)]
    assert [line.value for line in drawn.lines] == [10, 5, 0, -10]


def test_a_period_without_usage_has_a_scale_and_no_bars() -> None:
    drawn = chart.draw_days({}, first=FIRST, last=LAST)
    assert drawn.bars == ()
    assert drawn.lines[0].value == 1


def test_days_outside_the_period_are_left_out() -> None:
    drawn = chart.draw_days({date(2026, 10, 31): Decimal(5)}, first=FIRST, last=LAST)
    assert drawn.bars == ()
