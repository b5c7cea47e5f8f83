"""Charts as plain geometry: a scale people can read, and where each bar and each point of a line goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

HEIGHT = 100
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line of the scale; `y` counts from the top of a drawing that is 100 high."""

    value: Decimal
    y: Decimal


def round_up(value: Decimal) -> Decimal:
    """The next 1, 2, 2.5 or 5 times a power of ten; 1 where nothing was used, 0 below zero."""
    if value <= 0:
        return Decimal(0) if value else Decimal(1)
    unit = Decimal(1).scaleb(value.adjusted())
    return next(step * unit for step in _STEPS if step * unit >= value)


def place(value: Decimal, *, top: Decimal, bottom: Decimal = Decimal(0)) -> Decimal:
    """How far below the top of the drawing a value lies."""
    return ((top - value) / (top - bottom) * HEIGHT).quantize(_HUNDREDTH)


def scale(*, top: Decimal, bottom: Decimal = Decimal(0)) -> tuple[Line, ...]:
    """The lines from the top down: the highest value, half of it, nothing, and what lies below nothing."""
    values = [top, top / 2, Decimal(0), *([bottom] if bottom else [])]
    return tuple(Line(value, place(value, top=top, bottom=bottom)) for value in values)


def draw_path(values: Sequence[Decimal | None], *, top: Decimal, step: int = 1) -> str:
    """An SVG path through one value per step; it is broken where there is none, and one alone is a dot."""
    parts = []
    for number, value in enumerate(values):
        if value is None:
            continue
        is_joined = number > 0 and values[number - 1] is not None
        x, y = number * step, place(min(value, top), top=top)
        parts.append(f"{'L' if is_joined else 'M'}{x} {y}")
        if not is_joined and (number + 1 == len(values) or values[number + 1] is None):
            parts.append("h0.01")
    return "".join(parts)


def draw_area(values: Sequence[Decimal], *, top: Decimal, step: int = 1) -> str:
    """An SVG path of columns that stand on the ground, one per value."""
    return "".join(
        f"M{number * step} {HEIGHT}V{place(min(value, top), top=top)}h{step}V{HEIGHT}Z"
        for number, value in enumerate(values)
        if value > 0
    )
