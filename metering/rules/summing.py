"""What a window comes to as a whole, put together from sums: the same as `rules.aggregation` makes of its events.

Whoever drives these steps lets them calculate exactly (`core.rounding.exactly`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from core import periods
from metering.rules import buckets
from metering.rules.aggregation import ZERO, Ratio
from metering.rules.readings import UNIQUE, WEIGHED, Reading
from metering.rules.summed import Adding, Answer, Question, Steps, SummedPart, SummedStretch, Told
from metering.rules.windows import EVER, UsageWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def ask_whole(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """Put the quantity of a window together, whatever its meter makes of the values."""
    match reading.aggregation:
        case "time_weighted_sum":
            return _weigh_by_time(window, reading, by_minute=by_minute)
        case "prorated_sum":
            return _weigh_by_day(window, reading, by_minute=by_minute)
        case "prorated_unique_count":
            return _days_held(window, reading, by_minute=by_minute)
        case _:
            return _at_once(window, reading, by_minute=by_minute)


def adding_of(reading: Reading, *, by_minute: bool = False) -> Adding:
    """What has to be added up: a level is the sum of all there ever was, different values are told by their rows."""
    lasting = replace(reading, is_recurring=False)
    if reading.aggregation in WEIGHED - UNIQUE:
        lasting = replace(lasting, aggregation="sum")
    elif reading.aggregation in UNIQUE and reading.operation_property:
        lasting = replace(lasting, aggregation="last", group_by=(reading.value_property,))
    elif reading.aggregation in UNIQUE:
        lasting = replace(lasting, aggregation="count", value_property="", group_by=(reading.value_property,))
    return Adding(lasting, by_minute)


def edges_of(window: UsageWindow, reading: Reading) -> tuple[datetime, ...]:
    """Where the stretches begin and end that have to be told apart.

    A level weighs from the start of the window, or from the local midnight before it; what was there by then is a
    stretch of its own.
    """
    if reading.aggregation in {"prorated_sum", "prorated_unique_count"}:
        first = periods.local_midnight(periods.local_date(window.start, zone=window.zone), zone=window.zone)
        return (EVER, *buckets.bucket_starts(first, window.end, window="day", zone=window.zone), window.end)
    if not reading.is_recurring:
        return window.start, window.end
    return (EVER, window.start, window.end) if reading.aggregation == "time_weighted_sum" else (EVER, window.end)


def stretches(question: Question, edges: Sequence[datetime]) -> list[Question]:
    """The same question of each stretch between these edges."""
    return [question.within(start, end) for start, end in pairwise(edges)]


def value_of(reading: Reading, part: SummedPart) -> Decimal | None:
    """What the meter makes of one part; None where no event of it has a value."""
    match reading.aggregation:
        case "count":
            return Decimal(part.event_count)
        case "max":
            return part.highest
        case "min":
            return part.lowest
        case "last":
            return part.last
        case _:
            return part.total


def whole_of(reading: Reading, parts: Sequence[SummedPart]) -> Ratio:
    """What all parts come to together; the last of them has the last value."""
    if reading.aggregation == "average":
        measured = sum(part.measured_count for part in parts)
        return Ratio(sum((part.total or ZERO for part in parts), ZERO), Decimal(measured or 1))
    found = [quantity for part in parts if (quantity := value_of(reading, part)) is not None]
    match reading.aggregation:
        case "max":
            return Ratio(max(found, default=ZERO))
        case "min":
            return Ratio(min(found, default=ZERO))
        case "last":
            return Ratio(found[-1] if found else ZERO)
        case _:
            return Ratio(sum(found, ZERO))


def count_events(sums: Iterable[SummedStretch]) -> int:
    return sum(summed.event_count for summed in sums)


def _at_once(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """One stretch tells: what is added up, counted, highest, lowest, last, different or held."""
    start, end = edges_of(window, reading)
    question = Question(adding_of(reading, by_minute=by_minute), start, end)
    if reading.aggregation in UNIQUE:
        told = Told.HELD if reading.operation_property else Told.DISTINCT
        (found,) = yield [replace(question, names=(reading.value_property,), told=told)]
        ratio = Ratio(Decimal(sum(part.measured_count for part in found.parts)))
    else:
        (found,) = yield [question]
        ratio = whole_of(reading, found.parts)
    return Answer(ratio, found.event_count)


def _weigh_by_time(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """Each value times the microseconds that are left after its event: the values times the end, less their moment."""
    edges = edges_of(window, reading)
    sums = yield stretches(Question(adding_of(reading, by_minute=by_minute), edges[0], edges[-1]), edges)
    start, end = _microseconds(window.start), _microseconds(window.end)
    weighed = ZERO
    for until, summed in zip(edges[1:], sums, strict=True):
        for part in summed.parts:
            if part.total is None:
                continue
            if until <= window.start:
                weighed += part.total * (end - start)
            elif part.moment is None:
                return None
            else:
                weighed += part.total * end - part.moment * 1_000_000
    return Answer(Ratio(weighed, window.span.period_length), count_events(sums))


def _weigh_by_day(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """Each value times the days that are left: an increase holds from its day, a decrease from the next."""
    edges = edges_of(window, reading)
    sums = yield stretches(Question(adding_of(reading, by_minute=by_minute), edges[0], edges[-1]), edges)
    weighed = ZERO
    for day, summed in zip(_days(window, edges), sums, strict=True):
        from_today, from_tomorrow = (window.span.days_between(first, None) for first in (day, day + _DAY))
        for part in summed.parts:
            if part.total is None:
                continue
            if part.below is None:
                return None
            weighed += (part.total - part.below) * from_today + part.below * from_tomorrow
    return Answer(Ratio(weighed, Decimal(window.span.period_days)), count_events(sums))


def _days_held(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """Days on which each value was held: it was there when the day began, or was added on it."""
    edges = edges_of(window, reading)
    adding = adding_of(reading, by_minute=by_minute)
    sums = yield stretches(Question(adding, edges[0], edges[-1], names=(reading.value_property,)), edges)
    days, held = 0, set[str]()
    for day, summed in zip(_days(window, edges), sums, strict=True):
        added, last_added, last_removed = _changes(reading, summed.parts)
        if day >= window.span.day_of(window.start):
            days += window.span.days_between(day, day + _DAY) * len(held | added)
        held = (held | last_added) - last_removed
    return Answer(Ratio(Decimal(days), Decimal(window.span.period_days)), count_events(sums))


def _changes(reading: Reading, parts: Iterable[SummedPart]) -> tuple[set[str], set[str], set[str]]:
    """Which values were added at any time, which were added last, and which were removed last."""
    added, last_added, last_removed = set[str](), set[str](), set[str]()
    for part in parts:
        (value,) = part.groups
        if value is None:
            continue
        if not reading.operation_property or part.highest == 1:
            added.add(value)
        if not reading.operation_property or part.last == 1:
            last_added.add(value)
        elif part.last == 0:
            last_removed.add(value)
    return added, last_added, last_removed


def _days(window: UsageWindow, edges: Sequence[datetime]) -> list[date]:
    """The local day of each stretch; what was there before the window was there on the day before."""
    days = [window.span.day_of(start) for start in edges[1:-1]]
    return [days[0] - _DAY, *days]


def _microseconds(instant: datetime) -> Decimal:
    return Decimal((instant - EPOCH) // timedelta(microseconds=1))
