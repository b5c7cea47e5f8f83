"""The window that is measured, the whole period that levels are weighed over, and the local days of both."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core import periods

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` of one period; a window that is only a part of it weighs no more than its part."""

    start: datetime
    end: datetime
    period_start: datetime
    period_end: datetime
    zone: str

    def covers(self, instant: datetime, *, is_recurring: bool) -> bool:
        """Say whether an event of this instant counts: in the window, or at any time before its end."""
        return instant < self.end and (is_recurring or self.start <= instant)

    @property
    def period_length(self) -> Decimal:
        """Microseconds."""
        return Decimal((self.period_end - self.period_start) // _MICROSECOND)

    def left_after(self, instant: datetime) -> Decimal:
        """Microseconds of the window from this instant, or from the window's start, to its end."""
        return Decimal((self.end - max(self.start, instant)) // _MICROSECOND)

    @property
    def period_days(self) -> int:
        """Local days, at least one."""
        return max((self.day_of(self.period_end) - self.day_of(self.period_start)).days, 1)

    def day_of(self, instant: datetime) -> date:
        """The local day; one that two windows share belongs to the later of them."""
        return periods.local_date(instant, zone=self.zone)

    def days_between(self, first: date, after: date | None) -> int:
        """Days of the window from `first` up to `after`, which is not one of them; None: to the window's end."""
        begins = max(first, self.day_of(self.start))
        ends = self.day_of(self.end) if after is None else min(after, self.day_of(self.end))
        return max((ends - begins).days, 0)
