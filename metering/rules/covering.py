"""How a stretch of time is made of whole months, days and hours that were added up before, and of what is left."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo


class Grain(StrEnum):
    """The stretches that are added up, in UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


COARSE_FIRST = (Grain.MONTH, Grain.DAY, Grain.HOUR)
WITH_MINUTES = (*COARSE_FIRST, Grain.MINUTE)
STEPS = {Grain.MINUTE: timedelta(minutes=1), Grain.HOUR: timedelta(hours=1), Grain.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Span:
    """Whole stretches of one grain in `[start, end)`; without a grain, time that must be read event by event."""

    grain: Grain | None
    start: datetime
    end: datetime


def cover(
    edges: Sequence[datetime], *, holes: Collection[datetime] = (), grains: Sequence[Grain] = COARSE_FIRST
) -> list[Span]:
    """Lay spans of these grains end to end over the buckets between these edges; no stretch reaches over an edge.

    `holes` are starts of hours whose sums cannot be used. Between two edges there are at most 46 hours and 60 days, so
    the number of sums does not grow with the days between them.
    """
    spans: list[Span] = []
    for start, end in pairwise(edges):
        for span in _cut(start.astimezone(UTC), end.astimezone(UTC), grains, holes):
            if spans and spans[-1].grain == span.grain and spans[-1].end == span.start:
                spans[-1] = Span(span.grain, spans[-1].start, span.end)
            else:
                spans.append(span)
    return spans


def need_minutes(edges: Sequence[datetime], *, zones: Collection[str]) -> bool:
    """Whether one of these edges is a full hour of such a zone that lies between the hours of UTC."""
    return any(
        not _is_full(edge.astimezone(UTC)) and _is_full(edge.astimezone(ZoneInfo(zone)))
        for edge in edges
        for zone in zones
    )


def _is_full(instant: datetime) -> bool:
    return not (instant.minute or instant.second or instant.microsecond)


def _cut(start: datetime, end: datetime, grains: Sequence[Grain], holes: Collection[datetime]) -> Iterator[Span]:
    if start >= end:
        return
    if not grains:
        yield Span(None, start, end)
        return
    grain, finer = grains[0], grains[1:]
    first, last = _ceil(start, grain), floor(end, grain)
    if first >= last:
        yield from _cut(start, end, finer, holes)
        return
    yield from _cut(start, first, finer, holes)
    reached = first
    for broken in sorted({floor(hole, grain) for hole in holes if first <= hole < last}):
        if reached < broken:
            yield Span(grain, reached, broken)
        reached = after(broken, grain)
        yield from _cut(broken, reached, finer, holes)
    if reached < last:
        yield Span(grain, reached, last)
    yield from _cut(last, end, finer, holes)


def floor(instant: datetime, grain: Grain) -> datetime:
    """Give where the stretch of this instant begins."""
    if grain is Grain.MINUTE:
        return instant.replace(second=0, microsecond=0)
    hour = instant.replace(minute=0, second=0, microsecond=0)
    if grain is Grain.HOUR:
        return hour
    day = hour.replace(hour=0)
    return day if grain is Grain.DAY else day.replace(day=1)


def after(start: datetime, grain: Grain) -> datetime:
    """Give where the next stretch begins."""
    if grain is not Grain.MONTH:
        return start + STEPS[grain]
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)


def _ceil(instant: datetime, grain: Grain) -> datetime:
    begins = floor(instant, grain)
    return begins if begins == instant else after(begins, grain)
