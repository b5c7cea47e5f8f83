"""Revenue from prepaid credits of which some will never be used (ASC 606-10-55-46 to 49, IFRS 15 B44 to B47)."""

from collections.abc import Sequence
from decimal import Decimal

from core import rounding

NOTHING = Decimal(0)


def proportional(*, allocated: Decimal, redeemed: Sequence[Decimal], expected: Sequence[Decimal]) -> list[Decimal]:
    """Revenue of each period, exact: what was used by then as a share of what is expected to be used in all.

    A changed estimate catches up in its own period; what was recognised before is never stated anew.
    """
    revenue, used, recognised = [], NOTHING, NOTHING
    with rounding.exactly():
        for units, total in zip(redeemed, expected, strict=True):
            used += units
            reached = rounding.PRECISION.divide(rounding.PRECISION.multiply(allocated, used), total)
            revenue.append(reached - recognised)
            recognised = reached
    return revenue


def remote(*, sold: Decimal, used: Decimal, is_expired: bool) -> tuple[Decimal, Decimal]:
    """Revenue and what is still owed, where nothing may be expected to stay unused: the rest waits until it expires."""
    with rounding.exactly():
        return (sold, NOTHING) if is_expired else (used, sold - used)
