"""A bar chart of days as plain geometry: a scale people can read, and one bar per day of the period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

DAY_WIDTH = 10
BAR_WIDTH = 7
HEIGHT = 100
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Bar:
    """One day with usage; `y` and `height` count from the top of a drawing that is 100 high."""

    day: date
    quantity: Decimal
    x: Decimal
    y: Decimal
    height: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line of the scale."""

    value: Decimal
    y: Decimal


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the lines of the scale from the top down, and how wide the drawing is."""

    width: int
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]


def draw_days(quantities: Mapping[date, Decimal], *, first: date, last: date) -> Chart:
    """Every day from `first` to `last` has its place; a day without usage stays empty."""
    top = round_up(max(quantities.values(), default=Decimal(0)))
    bottom = -round_up(-min(quantities.values(), default=Decimal(0)))
    bars = tuple(
        _bar(day, quantity, place=(day - first).days, top=top, bottom=bottom)
        for day, quantity in sorted(quantities.items())
        if quantity and first <= day <= last
    )
    values = [top, top / 2, Decimal(0), *([bottom] if bottom else [])]
    lines = tuple(Line(value, _y(value, top=top, bottom=bottom)) for value in values)
    return Chart(width=((last - first) // timedelta(days=1) + 1) * DAY_WIDTH, bars=bars, lines=lines)


def round_up(value: Decimal) -> Decimal:
    """The next 1, 2, 2.5 or 5 times a power of ten; 1 where nothing was used, 0 below zero."""
    if value <= 0:
        return Decimal(0) if value else Decimal(1)
    unit = Decimal(1).scaleb(value.adjusted())
    return next(step * unit for step in _STEPS if step * unit >= value)


def _bar(day: date, quantity: Decimal, *, place: int, top: Decimal, bottom: Decimal) -> Bar:
    upper = _y(max(quantity, Decimal(0)), top=top, bottom=bottom)
    lower = _y(min(quantity, Decimal(0)), top=top, bottom=bottom)
    x = Decimal(place * DAY_WIDTH) + Decimal(DAY_WIDTH - BAR_WIDTH) / 2
    return Bar(day, quantity, x, upper, max(lower - upper, Decimal("0.5")))  # little is not nothing


def _y(value: Decimal, *, top: Decimal, bottom: Decimal) -> Decimal:
    return ((top - value) / (top - bottom) * HEIGHT).quantize(_HUNDREDTH)
