"""Tables of raw events by month: made ahead of time, and mended where one was missing when its events came."""

from dataclasses import dataclass
from datetime import date, datetime

from metering.store import partitions
from metering.store.partitions import Waiting

MONTHS_AHEAD = 3  # this one and the next two


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was made, how many events moved out of the rest, and which months could not be made now."""

    made: list[date]
    moved: int
    left: list[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which of the next months lack a table, and what lies in the rest because its month lacks one."""

    missing: list[date]
    waiting: list[Waiting]

    @property
    def alarms(self) -> list[str]:
        """Sentences for whoever runs the installation; none while all is well."""
        found = []
        if self.missing:
            names = ", ".join(f"{month:%Y-%m}" for month in self.missing)
            found.append(f"No table of events is ready for {names}; run manage.py event_months prepare.")
        if self.waiting:
            events = sum(line.events for line in self.waiting)
            found.append(f"{events:,} events lie outside the table of their month; run manage.py event_months prepare.")
        return found


def find_state(*, at: datetime) -> State:
    """Look, without changing anything."""
    there = set(partitions.find_months())
    wanted = _months_from(at, count=MONTHS_AHEAD)
    return State(missing=[month for month in wanted if month not in there], waiting=partitions.find_rest())


def keep_months(*, at: datetime) -> Report:
    """Make the tables of the next months and of every month that has events in the rest; move these.

    Each month is a transaction of its own, so what was done stays done.
    """
    state = find_state(at=at)
    wanted = sorted({*state.missing, *(line.month for line in state.waiting)})
    moved = {month: partitions.try_to_add(month) for month in wanted}
    return Report(
        made=[month for month, events in moved.items() if events is not None],
        moved=sum(events or 0 for events in moved.values()),
        left=[month for month, events in moved.items() if events is None],
    )


def _months_from(at: datetime, *, count: int) -> list[date]:
    first = at.year * 12 + at.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, first + count)]
