"""Where a free first part ends, found from sums: only the minute in which it ends is asked for its events in order."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from metering.rules import covering
from metering.rules.aggregation import ZERO
from metering.rules.covering import Grain
from metering.rules.parts import FreePart, UsagePart
from metering.rules.readings import UNIQUE, Reading
from metering.rules.summed import Question, SummedPart, SummedStretch, Told

LONG = timedelta(days=62)
FINER = {Grain.MONTH: Grain.DAY, Grain.DAY: Grain.HOUR, Grain.HOUR: Grain.MINUTE}
Asking = Generator[list[Question], list[SummedStretch], list[UsagePart]]


def count_ones(reading: Reading, found: SummedStretch) -> int:
    """How many events there are, where each counts one: those that have a value, or all of them."""
    if reading.aggregation in UNIQUE:
        return sum(part.event_count for part in found.parts if part.groups[-1] is not None)
    return found.event_count


def split_ones(events: int, free: FreePart) -> Iterator[UsagePart]:
    """Parts of so many events of one each: all that are free, the first that is not, and the others."""
    limits = [limit for limit in (free.events, free.amount) if limit is not None]
    first = min(events, int(min(limits)))
    if first:
        yield UsagePart(Decimal(first), first)
    if events > first:
        yield UsagePart(Decimal(1), 1)
    if rest := max(events - first - 1, 0):
        yield UsagePart(Decimal(1), 1, times=rest) if free.by_value else UsagePart(Decimal(rest), rest)


@dataclass(slots=True)
class _Far:
    """How far the free part goes: what was taken of it, and the parts so far."""

    free: FreePart
    events: int = 0
    amount: Decimal = ZERO
    is_over: bool = False
    parts: list[UsagePart] = field(default_factory=list)

    def may_end_in(self, parts: Sequence[SummedPart]) -> bool:
        """Whether the free part could end among these events, in whatever order they came."""
        above = [None if part.below is None else part.total - part.below for part in parts if part.total is not None]
        if self.free.amount is not None and None in above:
            return True
        return self.free.ends_before(
            events=self.events + sum(part.measured_count for part in parts),
            amount=self.amount + sum((value for value in above if value is not None), ZERO),
        )

    def pass_by(self, parts: Sequence[SummedPart]) -> None:
        """Take events together: all are free, or none is."""
        for part in parts:
            if part.total is None:
                continue
            if self.is_over and self.free.by_value and part.highest is not None:
                self.parts.append(UsagePart(part.highest, 1, times=part.measured_count))
            else:
                self.parts.append(UsagePart(part.total, part.measured_count))
            self.events, self.amount = self.events + part.measured_count, self.amount + part.total

    def take(self, part: SummedPart) -> None:
        """Take one event; the first beyond the free part ends it."""
        self.pass_by([part])
        self.is_over = self.is_over or self.free.ends_before(events=self.events, amount=self.amount)


def walk(question: Question, *, free: FreePart) -> Asking:
    """Give the parts of a stretch in the order of their time; the one in which the free part ends is a single event.

    Asked are the days (of a long time the months first), then the hours of the day in which it may end, its minutes,
    and the order within one minute.
    """
    far = _Far(free)
    yield from _walk(question, Grain.MONTH if question.end - question.start > LONG else Grain.DAY, far)
    return far.parts


def _walk(question: Question, grain: Grain, far: _Far) -> Generator[list[Question], list[SummedStretch]]:
    edges = _edges(question, grain)
    each = [question.within(start, end) for start, end in pairwise(edges)]
    for one, summed in zip(each, (yield each), strict=True):
        if far.is_over or not far.may_end_in(summed.parts):
            far.pass_by(summed.parts)
        elif grain in FINER:
            yield from _walk(one, FINER[grain], far)
        else:
            (ordered,) = yield [replace(one, names=(), told=Told.ORDER)]
            for part in ordered.parts:
                far.take(part)


def _edges(question: Question, grain: Grain) -> list[datetime]:
    edges, end = [question.start], question.end
    reached = covering.after(covering.floor(question.start.astimezone(UTC), grain), grain)
    while reached < end:
        edges.append(reached)
        reached = covering.after(reached, grain)
    return [*edges, end]
