"""Named roundings of decimal amounts; nothing else in the project rounds money."""

from contextlib import AbstractContextManager
from decimal import (
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

PRECISION = Context(prec=100)  # room for 40 digits times 40 digits without a silent rounding
_EXACT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation, Inexact])

MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


def exactly() -> AbstractContextManager[Context]:
    """Arithmetic in which a rounding that nobody asked for, a float or a NaN is an error."""
    return localcontext(_EXACT)


def round_to_scale(amount: Decimal, *, scale: int, mode: str = "half_up") -> Decimal:
    """Round once to `scale` decimals; half_up goes away from zero, as PostgreSQL's numeric does."""
    return amount.quantize(Decimal(1).scaleb(-scale), rounding=MODES[mode], context=PRECISION)


def share_of(amount: Decimal, *, part: int, whole: int, scale: int) -> Decimal:
    """`amount` × `part` / `whole`, to `scale` decimals; multiplied first, so a whole share is the amount itself."""
    product = PRECISION.multiply(amount, Decimal(part))
    return round_to_scale(PRECISION.divide(product, Decimal(whole)), scale=scale)
