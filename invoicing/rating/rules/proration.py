"""Which share of a billing period a segment is, and what that share of a fee amounts to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
    """`part` of `whole` in local days, in days of 30-day months, or in microseconds for plans prorated by second."""

    part: int
    whole: int
    unit: str

    def __str__(self) -> str:
        return "Whole period" if self.part == self.whole else self.counted

    @property
    def counted(self) -> str:
        """The same, also of a whole period: 31 of 31 days."""
        if self.unit == "day":
            return f"{self.part} of {self.whole} days"
        if self.unit == "day30":
            return f"{self.part} of {self.whole} days (months of 30 days)"
        return f"{_seconds(self.part)} of {_seconds(self.whole)} seconds"


WHOLE = Share(1, 1, "day")


def share_of_segment(*, segment: Period, ends_at: datetime | None, whole: Period, unit: str, zone: str) -> Share:
    """The share of `whole` (boundary to boundary) that `segment` is, of a subscription that is over at `ends_at`.

    By day, a day of change belongs to what begins on it, and the last day of a subscription is charged in full
    (Lago `fees/subscription_service_spec`): the day on which it ends, wherever the billed period does. Shares of
    segments add up to that of their time in every unit.
    """
    if unit == "second":
        return Share(segment.microseconds, whole.microseconds, unit)
    count = DAY_COUNTS[unit]
    end = segment.end
    if end == ends_at and end < whole.end:
        end = periods.next_local_midnight(end, zone=zone)
    begin, last, first, over = (
        count(periods.local_date(instant, zone=zone)) for instant in (segment.start, end, whole.start, whole.end)
    )
    return Share(min(last, over) - begin, over - first, unit)


def _day_of_thirty(day: date) -> int:
    """Days as if every month had 30, its last day being the 30th (30E/360 ISDA; Kill Bill's fixed proration days)."""
    is_last = (day + timedelta(days=1)).month != day.month
    return (day.year * 12 + day.month) * 30 + (30 if is_last else min(day.day, 30))


DAY_COUNTS: Mapping[str, Callable[[date], int]] = {"day": date.toordinal, "day30": _day_of_thirty}


def price_flat(*, params: FlatParams, share: Share, quantity: Decimal) -> tuple[Step, ...]:
    """The share of the fee for each of a quantity; shares of one fee add up to it before rounding, to 30 decimals."""
    amount = share_of_amount(params.amount * quantity, share=share)
    return (Step(label=str(share), quantity=quantity, unit_price=params.amount, amount=amount),)


def share_of_steps(steps: tuple[Step, ...], *, share: Share) -> tuple[Step, ...]:
    """The share of each step's amount: tiers are picked by the full quantity, and what they cost is prorated (Lago)."""
    if share.part == share.whole:
        return steps
    return tuple(
        step._replace(label=f"{step.label}, {share}", amount=share_of_amount(step.amount, share=share))
        for step in steps
    )


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
