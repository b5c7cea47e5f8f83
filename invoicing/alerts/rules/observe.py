"""Holds figures against the lines that a policy draws; what has no line yet, such as a past, reaches none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import rounding
from invoicing.policy.rules.alerts import Alert, ExposureGrowth, ProgramCost, UsageNearLimit

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterUse:
    """What a customer used of a meter in its running period, and how much of it is included in the price."""

    meter: str
    currency: str
    quantity: Decimal
    included: Decimal
    period_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a customer is projected to owe in one currency, and what the period before came to; None without one."""

    currency: str
    projected: Decimal
    elapsed: Decimal
    before: Decimal | None
    period_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a fee program is projected to cost by the end of a running period."""

    program: str
    subscription: int
    currency: str
    at_end: Decimal
    period_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A figure against its line; `subject` tells it from every other figure of the customer under the same alert."""

    subject: str
    value: Decimal
    line: Decimal


def observe(
    alert: Alert, *, usage: Sequence[MeterUse] = (), outlooks: Sequence[Outlook] = (), costs: Sequence[Cost] = ()
) -> Iterator[Observed]:
    """Give every figure of one customer that the alert has a line for."""
    match alert:
        case UsageNearLimit():
            yield from _near_limit(alert, usage)
        case ExposureGrowth():
            yield from _growth(alert, outlooks)
        case ProgramCost():
            yield from _cost(alert, costs)


def _near_limit(alert: UsageNearLimit, usage: Sequence[MeterUse]) -> Iterator[Observed]:
    for one in usage:
        limit = one.included if alert.limit is None else alert.limit
        if one.meter == alert.meter and limit > 0:
            with rounding.exactly():
                line = rounding.divide(limit * alert.percent, HUNDRED, scale=18)
            yield Observed(
                subject=f"{one.meter} ({one.currency}) until {one.period_end[:10]}", value=one.quantity, line=line
            )


def _growth(alert: ExposureGrowth, outlooks: Sequence[Outlook]) -> Iterator[Observed]:
    """The line is so much above the customer's own last period, and never below what is worth a word."""
    for one in outlooks:
        has_passed = one.elapsed * HUNDRED >= alert.elapsed_percent
        if one.currency == alert.currency and one.before is not None and has_passed:
            with rounding.exactly():
                above = rounding.divide(one.before * (HUNDRED + alert.percent), HUNDRED, scale=18)
            line = max(above, alert.amount)
            yield Observed(subject=f"{one.currency} until {one.period_end[:10]}", value=one.projected, line=line)


def _cost(alert: ProgramCost, costs: Sequence[Cost]) -> Iterator[Observed]:
    for one in costs:
        if (one.program, one.currency) == (alert.fee_program, alert.currency):
            subject = f"{one.program} ({one.currency}, subscription {one.subscription}) until {one.period_end[:10]}"
            yield Observed(subject=subject, value=one.at_end, line=alert.amount)
