"""When a price change is major: plain amounts of one customer's last closed period, before and after."""

from decimal import Decimal

WHOLE = Decimal(100)


def is_major(*, old: Decimal, new: Decimal, above_percent: Decimal) -> bool:
    """Whether the period would have been more than so many percent dearer or cheaper; from nothing, any amount is."""
    if old == new:
        return False
    return old == 0 or abs(new - old) * WHOLE > above_percent * abs(old)
