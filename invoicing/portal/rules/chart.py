"""A bar chart of days as plain geometry: a scale people can read, and one bar per day of the period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core import charts
from core.charts import Line

DAY_WIDTH = 10
BAR_WIDTH = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One day with usage; `y` and `height` count from the top of a drawing that is 100 high."""

    day: date
    quantity: Decimal
    x: Decimal
    y: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the lines of the scale from the top down, and how wide the drawing is."""

    width: int
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]


def draw_days(quantities: Mapping[date, Decimal], *, first: date, last: date) -> Chart:
    """Every day from `first` to `last` has its place; a day without usage stays empty."""
    top = charts.round_up(max(quantities.values(), default=Decimal(0)))
    bottom = -charts.round_up(-min(quantities.values(), default=Decimal(0)))
    bars = tuple(
        _bar(day, quantity, place=(day - first).days, top=top, bottom=bottom)
        for day, quantity in sorted(quantities.items())
        if quantity and first <= day <= last
    )
    width = ((last - first) // timedelta(days=1) + 1) * DAY_WIDTH
    return Chart(width=width, bars=bars, lines=charts.scale(top=top, bottom=bottom))


def _bar(day: date, quantity: Decimal, *, place: int, top: Decimal, bottom: Decimal) -> Bar:
    upper = charts.place(max(quantity, Decimal(0)), top=top, bottom=bottom)
    lower = charts.place(min(quantity, Decimal(0)), top=top, bottom=bottom)
    x = Decimal(place * DAY_WIDTH) + Decimal(DAY_WIDTH - BAR_WIDTH) / 2
    return Bar(day, quantity, x, upper, max(lower - upper, Decimal("0.5")))  # little is not nothing
