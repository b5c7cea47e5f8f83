"""Named roundings of decimal amounts; nothing else in the project rounds money."""

from contextlib import AbstractContextManager
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import cache

PRECISION = Context(prec=100)  # room for 40 digits times 40 digits without a silent rounding
_EXACT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation, Inexact])

MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "ceiling": ROUND_CEILING, "floor": ROUND_FLOOR}


def exactly() -> AbstractContextManager[Context]:
    """Arithmetic in which a rounding that nobody asked for, a float or a NaN is an error."""
    return localcontext(_EXACT)


def round_to_scale(amount: Decimal, *, scale: int, mode: str = "half_up") -> Decimal:
    """Round once to `scale` decimals; half_up goes away from zero, as PostgreSQL's numeric does."""
    return amount.quantize(_quantum(scale), rounding=MODES[mode], context=PRECISION)


@cache
def _quantum(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


def divide(dividend: Decimal, divisor: Decimal, *, scale: int, mode: str = "half_up") -> Decimal:
    """The quotient to `scale` decimals, rounded once.

    The quotient has 100 digits before that. Numbers of up to 40 digits whose quotient is not a tie, or not whole, miss
    being one by more than what is lost there, so ceiling, floor and half up see the true side.
    """
    return round_to_scale(PRECISION.divide(dividend, divisor), scale=scale, mode=mode)


def share_of(amount: Decimal, *, part: int, whole: int, scale: int) -> Decimal:
    """`amount` × `part` / `whole`, to `scale` decimals; multiplied first, so a whole share is the amount itself."""
    product = PRECISION.multiply(amount, Decimal(part))
    return round_to_scale(PRECISION.divide(product, Decimal(whole)), scale=scale)
