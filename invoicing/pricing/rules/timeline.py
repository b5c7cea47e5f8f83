"""How time is cut: billing periods of a subscription, and stretches with one plan and one price."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from core import periods
from core.periods import Interval, Period

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides where the periods of a subscription lie."""

    anchor: date
    interval: Interval
    zone: str
    starts_at: datetime
    ends_at: datetime | None
    every: int = 1  # intervals in a period


@dataclass(frozen=True, slots=True)
class Dated:
    """A price version: in force from `effective_at` until the next; of equals the highest `version`."""

    key: int
    effective_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One thing in force over `[start, end)`; without end where `end` is None."""

    key: int
    start: datetime
    end: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)

    def within(self, period: Period) -> Period | None:
        """The part of it that lies in `period`; an instant belongs to what begins there."""
        start = max(self.start, period.start)
        end = period.end if self.end is None else min(self.end, period.end)
        return Period(start, end) if start < end else None


def ended_periods(terms: Terms, *, as_of: datetime) -> Iterator[Period]:
    """Every billing period over by `as_of`; the last is short where the subscription ends inside one."""
    until = as_of if terms.ends_at is None else min(as_of, terms.ends_at)
    covered = terms.starts_at
    for period in periods.billing_periods(
        anchor=terms.anchor,
        interval=terms.interval,
        every=terms.every,
        zone=terms.zone,
        start=terms.starts_at,
        until=until,
    ):
        yield period
        covered = period.end
    if terms.ends_at is not None and covered < terms.ends_at <= as_of:
        yield Period(covered, terms.ends_at)


def last_ended_period(terms: Terms, *, as_of: datetime) -> Period | None:
    """The latest billing period that was over at `as_of`; None where none was."""
    until = as_of if terms.ends_at is None else min(as_of, terms.ends_at)
    if until <= terms.starts_at:
        return None
    around = whole_period(terms, instant=until - MOMENT)
    if until in (around.end, terms.ends_at):
        return Period(max(around.start, terms.starts_at), until)
    if around.start <= terms.starts_at:
        return None
    before = whole_period(terms, instant=around.start - MOMENT)
    return Period(max(before.start, terms.starts_at), before.end)


def whole_period(terms: Terms, *, instant: datetime) -> Period:
    """The period around `instant` from boundary to boundary, also where the subscription has only a part of it."""
    return periods.enclosing_period(
        anchor=terms.anchor, interval=terms.interval, every=terms.every, zone=terms.zone, instant=instant
    )


def in_force(versions: Sequence[Dated]) -> list[Stretch]:
    """Versions laid end to end, in order of time; one that another replaces at its own instant is left out."""
    ordered = sorted(versions, key=lambda version: (version.effective_at, version.version))
    winners = [version for version, after in pairwise(ordered) if version.effective_at != after.effective_at] + ordered[
        -1:
    ]
    ends: list[datetime | None] = [*(version.effective_at for version in winners[1:]), None]
    return [Stretch(version.key, version.effective_at, end) for version, end in zip(winners, ends, strict=False)]


def cut(period: Period, stretches: Sequence[Stretch]) -> Iterator[tuple[int, Period]]:
    """What is in force when, inside `period`; together they cover all of it that anything is in force."""
    for stretch in stretches:
        part = stretch.within(period)
        if part is not None:
            yield stretch.key, part


def split(stretches: Iterable[Stretch], *, at: Sequence[datetime]) -> Iterator[Stretch]:
    """The same, ended and begun anew at each of these instants that lies inside one."""
    for stretch in stretches:
        inside = [one for one in sorted(at) if stretch.start < one and (stretch.end is None or one < stretch.end)]
        for start, end in pairwise([stretch.start, *inside, stretch.end]):
            assert start is not None  # noqa: S101  only the last edge can be without end
            yield Stretch(stretch.key, start, end)


def keep(stretches: Sequence[Stretch], *, since: datetime, until: datetime) -> list[Stretch]:
    """The same, but what is in force at `since` stays until `until`; what would have come before waits till then."""
    held = next((stretch for stretch in stretches if stretch.holds_at(since)), None)
    if held is None or held.end is None or held.end >= until:
        return list(stretches)
    waiting = (stretch for stretch in stretches if stretch.start >= held.end)
    later = [stretch for stretch in waiting if stretch.end is None or stretch.end > until]
    return [
        *(stretch for stretch in stretches if stretch.start < held.start),
        Stretch(held.key, held.start, until),
        *(Stretch(stretch.key, max(stretch.start, until), stretch.end) for stretch in later),
    ]
