"""Named roundings of decimal amounts; nothing else in the project rounds money."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

PRECISION = Context(prec=60)  # room for 38 digits times 18 decimals without a silent rounding

MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


def round_to_scale(amount: Decimal, *, scale: int, mode: str = "half_up") -> Decimal:
    """Round once to `scale` decimals; half_up goes away from zero, as PostgreSQL's numeric does."""
    return amount.quantize(Decimal(1).scaleb(-scale), rounding=MODES[mode], context=PRECISION)
