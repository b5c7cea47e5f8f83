"""Whether an amount lies far outside what the same customer was billed before; plain values in, plain values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

HISTORY_MIN = 2  # one earlier period says what it came to, and nothing of what is usual
ALIKE = Decimal("1.2")  # periods whose lengths differ by less are compared as they are: 28 and 31 days


@dataclass(frozen=True, slots=True)
class Past:
    """What one earlier period came to, and how long it was."""

    amount: Decimal
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """An amount beside the least and the greatest that was billed before, and how many times is far."""

    amount: Decimal
    least: Decimal
    greatest: Decimal
    periods: int
    times: Decimal

    @property
    def is_above(self) -> bool:
        return self.amount > self.greatest


def find_unusual(
    *, amount: Decimal, length: timedelta, past: Sequence[Past], times: Decimal, worth: Decimal
) -> Unusual | None:
    """The amount, if it is more than `times` the greatest of the past or less than that part of the least.

    None where the past is too short, where it was 0 throughout, and where the difference is less than `worth`. Earlier
    periods of another length count by their share. Amounts below 0 are compared by size; the other sign is far.
    """
    if len(past) < HISTORY_MIN:
        return None
    before = [_as_long(one, length=length) for one in past]
    least, greatest = min(before), max(before)
    found = Unusual(amount=amount, least=least, greatest=greatest, periods=len(past), times=times)
    if not _is_far(amount, least=least, greatest=greatest, times=times):
        return None
    edge = greatest if amount > greatest else least
    return found if abs(amount - edge) >= worth else None


def _as_long(one: Past, *, length: timedelta) -> Decimal:
    share = Decimal(length.total_seconds()) / Decimal(one.length.total_seconds())
    return one.amount if 1 / ALIKE < share < ALIKE else one.amount * share


def _is_far(amount: Decimal, *, least: Decimal, greatest: Decimal, times: Decimal) -> bool:
    if least == greatest == 0:
        return False  # nothing to compare with; what it makes of the invoice is looked at there
    if greatest <= 0:  # discounts and credits: the same with the other sign
        return _is_far(-amount, least=-greatest, greatest=-least, times=times)
    return amount > greatest * times or amount < min(least / times, least * times)
