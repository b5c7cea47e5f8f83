"""Which share of a billing period a segment is, and what that share of a fee amounts to."""

from dataclasses import dataclass
from decimal import Decimal

from core import periods, rounding
from core.periods import Period
from invoicing.pricing.rules.params import FlatParams
from invoicing.rating.rules.steps import Step

EXACT_DECIMALS = 30  # a quantity's 18 and a price's 12; far below any half cent that a share could miss
QUANTITY_DECIMALS = 18
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole` in local days, or in microseconds for plans prorated by second."""

    part: int
    whole: int
    unit: str

    def __str__(self) -> str:
        if self.part == self.whole:
            return "Whole period"
        if self.unit == "day":
            return f"{self.part} of {self.whole} days"
        return f"{_seconds(self.part)} of {_seconds(self.whole)} seconds"


WHOLE = Share(1, 1, "day")


def share_of_segment(*, segment: Period, period: Period, whole: Period, unit: str, zone: str) -> Share:
    """The share of `whole` (boundary to boundary) that `segment` of the billed `period` is.

    By day, a day of change belongs to what begins on it, and the last day of a subscription is charged in full
    (Lago `fees/subscription_service_spec`).
    """
    if unit == "second":
        return Share(segment.microseconds, whole.microseconds, unit)
    end = segment.end
    if end == period.end:
        end = periods.next_local_midnight(end, zone=zone)
    days = (periods.local_date(end, zone=zone) - periods.local_date(segment.start, zone=zone)).days
    return Share(days, periods.local_days(whole, zone=zone), unit)


def price_flat(*, params: FlatParams, share: Share) -> tuple[Step, ...]:
    """The share of the fee; shares of one fee add up to it before rounding, to 30 decimals."""
    amount = share_of_amount(params.amount, share=share)
    return (Step(label=str(share), quantity=Decimal(1), unit_price=params.amount, amount=amount),)


def share_of_amount(amount: Decimal, *, share: Share) -> Decimal:
    """The share of a fee or a limit, to 30 decimals."""
    if share.part == share.whole:
        return amount
    return rounding.share_of(amount, part=share.part, whole=share.whole, scale=EXACT_DECIMALS)


def share_of_quantity(quantity: Decimal, *, share: Share) -> Decimal:
    """The share of included or committed units, to the 18 decimals of a quantity."""
    if share.part == share.whole:
        return quantity
    return rounding.share_of(quantity, part=share.part, whole=share.whole, scale=QUANTITY_DECIMALS)


def _seconds(microseconds: int) -> str:
    whole, rest = divmod(microseconds, MICROSECONDS)
    return f"{whole}.{rest:06d}" if rest else str(whole)
