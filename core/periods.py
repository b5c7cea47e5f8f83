"""Half-open periods and the calendar of billing: anchors that never drift, in the customer's time zone."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """`[start, end)` between two aware instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or not self.start < self.end:
            raise ValueError(f"a period needs two aware instants, start before end: {self.start} .. {self.end}")

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def overlap(self, other: "Period") -> "Period | None":
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    @property
    def microseconds(self) -> int:
        return (self.end - self.start) // timedelta(microseconds=1)


class Interval(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


def add_intervals(anchor: date, *, interval: Interval, count: int) -> date:
    """Step from the anchor itself, so 31 Jan + 1 month = 28 Feb and + 2 months = 31 Mar."""
    if interval in (Interval.DAY, Interval.WEEK):
        return anchor + timedelta(days=count * (7 if interval == Interval.WEEK else 1))
    months = anchor.year * 12 + anchor.month - 1 + count * _MONTHS[interval]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor.day, calendar.monthrange(year, month + 1)[1]))


def local_midnight(day: date, *, zone: str) -> datetime:
    """The instant, in UTC, at which `day` begins in `zone`."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def billing_periods(
    *, anchor: date, interval: Interval, zone: str, start: datetime, until: datetime, every: int = 1
) -> Iterator[Period]:
    """Periods that tile the time from `start`, cut at local midnights counted from `anchor`, ended by `until`.

    Each is `every` intervals long: 30 days, 2 weeks, 6 months. The first may be short, when `start` lies inside one;
    there is no gap, no overlap and no drift.
    """
    step = _first_step(anchor=anchor, interval=interval, zone=zone, start=start, every=every)
    period_start = start
    while True:
        step += every
        period_end = local_midnight(add_intervals(anchor, interval=interval, count=step), zone=zone)
        if period_end > until:
            return
        if period_end > period_start:  # a zone that crosses the date line may skip a whole local day
            yield Period(period_start, period_end)
            period_start = period_end


def enclosing_period(*, anchor: date, interval: Interval, zone: str, instant: datetime, every: int = 1) -> Period:
    """The whole billing period around `instant`, from boundary to boundary, whenever the subscription began."""
    step = _first_step(anchor=anchor, interval=interval, zone=zone, start=instant, every=every)
    begin = local_midnight(add_intervals(anchor, interval=interval, count=step), zone=zone)
    end = begin
    while end <= instant:
        step += every
        end = local_midnight(add_intervals(anchor, interval=interval, count=step), zone=zone)
    return Period(begin, end)


def period_containing(*, anchor: date, interval: Interval, zone: str, start: datetime, instant: datetime) -> Period:
    """The billing period that contains `instant` (at or after `start`); short when `start` lies inside it."""
    whole = enclosing_period(anchor=anchor, interval=interval, zone=zone, instant=instant)
    return Period(max(whole.start, start), whole.end)


def _first_step(*, anchor: date, interval: Interval, zone: str, start: datetime, every: int = 1) -> int:
    """The number of whole intervals from the anchor to the last boundary at or before `start`; divisible by `every`."""
    day = local_date(start, zone=zone)
    if interval in (Interval.DAY, Interval.WEEK):
        step = (day - anchor).days // (7 if interval == Interval.WEEK else 1)
    else:
        step = ((day.year - anchor.year) * 12 + day.month - anchor.month) // _MONTHS[interval]
    while add_intervals(anchor, interval=interval, count=step) > day:
        step -= 1
    while add_intervals(anchor, interval=interval, count=step + 1) <= day:
        step += 1
    return step - step % every


def local_days(period: Period, *, zone: str) -> int:
    """Local calendar days from the day of `start` up to, but not counting, the day of `end`."""
    return (local_date(period.end, zone=zone) - local_date(period.start, zone=zone)).days


def local_date(instant: datetime, *, zone: str) -> date:
    """The calendar day in `zone`."""
    return instant.astimezone(ZoneInfo(zone)).date()


def next_local_midnight(instant: datetime, *, zone: str) -> datetime:
    """`instant` itself where a local day begins there, else the beginning of the next one."""
    day = local_date(instant, zone=zone)
    midnight = local_midnight(day, zone=zone)
    return midnight if midnight == instant else local_midnight(day + timedelta(days=1), zone=zone)
