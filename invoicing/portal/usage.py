"""Usage so far in the words of the portal: totals, a chart per meter, and the cost if the period ended now."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import format_compact_decimal

from accounts.models import Customer
from core.errors import DomainError
from core.periods import Period
from invoicing.cycle import preview
from invoicing.documents.rules import figures
from invoicing.portal import queries
from invoicing.portal.pages import LOCALE
from invoicing.portal.queries import Running
from invoicing.portal.rules import chart
from invoicing.portal.rules.chart import Chart
from metering import queries as metering_queries
from metering.models import Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPage:
    """One meter: its total, its days and their chart, as text."""

    name: str
    definition: str
    unit: str
    total: str
    chart: Chart
    scale: list[str]
    bars: list[dict[str, Any]]
    days: list[tuple[str, str]]
    first_day: str
    last_day: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    """One running billing period."""

    span: str
    zone: str
    plans: str
    as_of: str
    meters: list[MeterPage]
    cost: dict[str, str] | None


def read_usage(*, customer: Customer, at: datetime) -> list[UsagePage]:
    """Every period that runs at `at`, with live figures: events count as soon as they are accepted."""
    return [_usage_page(customer, running, at=at) for running in queries.running_periods(customer, at=at)]


def _usage_page(customer: Customer, running: Running, *, at: datetime) -> UsagePage:
    local = at.astimezone(ZoneInfo(running.zone))
    return UsagePage(
        span=figures.span_text(running.period.start, running.period.end, zone=running.zone, locale=LOCALE),
        zone=running.zone,
        plans=", then ".join(running.plans),
        as_of=f"{figures.date_text(local.date(), locale=LOCALE)}, {local:%H:%M}",
        meters=[_meter_page(customer, meter, running, at=at) for meter in running.meters],
        cost=_cost(customer, running.period, at=at),
    )


def _meter_page(customer: Customer, meter: Meter, running: Running, *, at: datetime) -> MeterPage:
    """The total is counted by itself: highest values and unique counts of days do not add up to that of the period."""
    count = partial(
        metering_queries.live_usage,
        customer_id=customer.pk,
        meter=meter,
        start=running.period.start,
        end=running.period.end,
        zone=running.zone,
    )
    total = sum((row.quantity for row in count().rows), Decimal(0))  # one row, unless the measure changes
    zone = ZoneInfo(running.zone)
    days: dict[date, Decimal] = defaultdict(Decimal)
    for row in count(window="day").rows:
        days[row.start.astimezone(zone).date()] += row.quantity
    first, last = _first_and_last(running.period, zone)
    drawn = chart.draw_days(days, first=first, last=last)
    return MeterPage(
        name=meter.name,
        definition=metering_queries.version_of(meter, at=at).definition,
        unit=meter.unit,
        total=_number(total),
        chart=drawn,
        scale=[format_compact_decimal(line.value, locale=LOCALE, fraction_digits=1) for line in drawn.lines],
        bars=[
            {"x": bar.x, "y": bar.y, "height": bar.height, "title": f"{_day(bar.day)}: {_number(bar.quantity)}"}
            for bar in drawn.bars
        ],
        days=[(_day(day), _number(quantity)) for day, quantity in sorted(days.items()) if quantity],
        first_day=_day(first),
        last_day=_day(last),
        summary=f"{meter.name} by day, {_number(total)} {meter.unit} in all; the table below has the figures.",
    )


def _cost(customer: Customer, period: Period, *, at: datetime) -> dict[str, str] | None:
    """The invoice as it would be drafted now; None where it cannot be priced, which is for finance to repair."""
    try:
        found = preview.preview_invoice(customer=customer, period=period, at=at)
    except DomainError:
        return None
    sums = found.totals
    return {
        "currency": found.currency,
        "total": figures.amount_text(sums.total, currency=found.currency, locale=LOCALE),
        "tax": figures.amount_text(sums.tax, currency=found.currency, locale=LOCALE) if sums.tax else "",
    }


def _first_and_last(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    last_instant = period.end - timedelta(microseconds=1)
    return period.start.astimezone(zone).date(), last_instant.astimezone(zone).date()


def _day(day: date) -> str:
    return figures.date_text(day, locale=LOCALE)


def _number(number: Decimal) -> str:
    return figures.number_text(number, locale=LOCALE)
