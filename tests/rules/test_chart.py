"""The scale and the bars of the usage chart."""

from datetime import date
from decimal import Decimal

import pytest

from core import charts
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
    assert charts.round_up(Decimal(value)) == Decimal(top)


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


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    values = [Decimal(0), Decimal(50), None, Decimal(100), None, Decimal(25), Decimal(200)]
    assert charts.draw_path(values, top=Decimal(100)) == "M0 100.00L1 50.00M3 0.00h0.01M5 75.00L6 0.00"


def test_columns_stand_on_the_ground() -> None:
    assert (
        charts.draw_area([Decimal(1), Decimal(0), Decimal(4)], top=Decimal(4), step=2)
        == "M0 100V75.00h2V100ZM4 100V0.00h2V100Z"
    )
