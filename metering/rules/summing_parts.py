"""Windows in parts, as prices split them, put together from sums: the same parts as a split of the events gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from metering.rules import buckets, free_part, summing
from metering.rules.aggregation import Ratio
from metering.rules.parts import PartsBy, Split, UsagePart
from metering.rules.readings import UNIQUE, Reading
from metering.rules.summed import Adding, Answer, Question, Steps, SummedPart, SummedStretch, Told
from metering.rules.summing import adding_of, count_events, value_of, whole_of
from metering.rules.windows import UsageWindow

Groups = tuple[str | None, ...]
Carried = Mapping[Groups, Decimal | None]


def can_split(reading: Reading, split: Split) -> bool:
    """Whether sums tell these parts; each event by itself they do not."""
    return reading.has_parts and split.by is not PartsBy.EVENT


def ask_parts(window: UsageWindow, reading: Reading, split: Split, *, by_minute: bool) -> Steps:
    """Put the parts of a window together, and its quantity."""
    match split.by:
        case PartsBy.BUCKET:
            return _by_bucket(window, reading, split, by_minute=by_minute)
        case PartsBy.VALUE:
            return _by_value(window, reading, by_minute=by_minute)
        case PartsBy.AFTER_FREE:
            return _after_free(window, reading, split, by_minute=by_minute)
        case _:
            return _by_combination(window, reading, split, by_minute=by_minute)


def edges_of(window: UsageWindow, split: Split) -> tuple[datetime, ...]:
    """Where the buckets begin and end; minutes are told apart by their sums."""
    if split.by is not PartsBy.BUCKET or split.bucket == "minute":
        return window.start, window.end
    starts = buckets.bucket_starts(window.start, window.end, window=split.bucket, zone=split.zone)
    return (*starts, window.end)


def question_of(window: UsageWindow, reading: Reading, names: Groups, *, by_minute: bool) -> Question:
    """Ask for the values of a window by these properties; different values are told apart in any case."""
    properties = tuple(name for name in names if name is not None)
    adding = adding_of(reading, by_minute=by_minute)
    if reading.aggregation in UNIQUE:
        properties = (*properties, reading.value_property)
    if not set(properties) <= set(adding.reading.group_by):
        adding = replace(adding, reading=replace(adding.reading, group_by=tuple(dict.fromkeys(properties))))
    return Question(adding, window.start, window.end, names=properties)


def _by_combination(window: UsageWindow, reading: Reading, split: Split, *, by_minute: bool) -> Steps:
    questions = [question_of(window, reading, split.properties, by_minute=by_minute)]
    if split.amount_property:
        amounts = Adding(_amounts(reading, split), by_minute)
        questions.append(Question(amounts, window.start, window.end, names=split.properties))
    if reading.aggregation == "last":  # the last of all is none of the sums of the combinations
        questions.append(Question(adding_of(reading, by_minute=by_minute), window.start, window.end))
    sums = yield questions
    carried = {part.groups: part.total for part in sums[1].parts} if split.amount_property else {}
    parts = [
        replace(part, properties=_named(split.properties, groups))
        for groups, part in _parts(reading, sums[0], len(split.properties), carried)
    ]
    whole = sums[-1].parts if reading.aggregation == "last" else sums[0].parts
    return Answer(_ratio(reading, whole), sums[0].event_count, tuple(parts))


def _by_bucket(window: UsageWindow, reading: Reading, split: Split, *, by_minute: bool) -> Steps:
    question = question_of(window, reading, (), by_minute=by_minute)
    edges = edges_of(window, split)
    if split.bucket == "minute":
        (found,) = yield [replace(question, told=Told.MINUTES)]
        sums = _by_minute(window, found)
    else:
        sums = dict(zip(edges, (yield summing.stretches(question, edges)), strict=False))
    parts = [
        replace(part, bucket=start) for start, summed in sums.items() for _, part in _parts(reading, summed, 0, {})
    ]
    everything = [part for summed in sums.values() for part in summed.parts]
    return Answer(_ratio(reading, everything), count_events(sums.values()), tuple(parts))


def _by_minute(window: UsageWindow, found: SummedStretch) -> dict[datetime, SummedStretch]:
    """The sums of each minute in which there are events; the first begins with the window."""
    minutes: dict[datetime, list[SummedPart]] = {}
    for part in found.parts:
        assert part.minute is not None  # noqa: S101  it was asked for
        minutes.setdefault(max(part.minute, window.start), []).append(part)
    return {start: SummedStretch(found.seq, tuple(parts)) for start, parts in sorted(minutes.items())}


def _by_value(window: UsageWindow, reading: Reading, *, by_minute: bool) -> Steps:
    """One part for each value and how many events have it; where each event counts one, one part of them all."""
    if reading.aggregation in UNIQUE | {"count"}:
        (found,) = yield [question_of(window, reading, (), by_minute=by_minute)]
        events = free_part.count_ones(reading, found)
        ones = (UsagePart(Decimal(1), events),) if events else ()
        return Answer(_ratio(reading, found.parts), found.event_count, ones)
    by_value = question_of(window, reading, (reading.value_property,), by_minute=by_minute)
    whole = Question(adding_of(reading, by_minute=by_minute), window.start, window.end)
    values, found = yield [by_value, whole]
    parts = [UsagePart(part.highest, part.measured_count) for part in values.parts if part.highest is not None]
    return Answer(whole_of(reading, found.parts), found.event_count, tuple(parts))


def _after_free(window: UsageWindow, reading: Reading, split: Split, *, by_minute: bool) -> Steps:
    assert split.free is not None  # noqa: S101  it is what this split is by
    if reading.aggregation in UNIQUE | {"count"}:
        (found,) = yield [question_of(window, reading, (), by_minute=by_minute)]
        ones = free_part.split_ones(free_part.count_ones(reading, found), split.free)
        return Answer(_ratio(reading, found.parts), found.event_count, tuple(ones))
    (whole,) = yield [Question(adding_of(reading, by_minute=by_minute), window.start, window.end)]
    names = (reading.value_property,) if split.free.by_value else ()
    parts = yield from free_part.walk(question_of(window, reading, names, by_minute=True), free=split.free)
    return Answer(whole_of(reading, whole.parts), whole.event_count, tuple(parts))


def _ratio(reading: Reading, parts: Sequence[SummedPart]) -> Ratio:
    if reading.aggregation in UNIQUE:
        return Ratio(Decimal(len({part.groups[-1] for part in parts} - {None})))
    return whole_of(reading, parts)


def _parts(
    reading: Reading, summed: SummedStretch, properties: int, carried: Carried
) -> Iterator[tuple[Groups, UsagePart]]:
    """One part for each combination of so many properties; an event without a value that can be read is in none."""
    if reading.aggregation in UNIQUE:
        yield from _different(summed, properties, carried)
        return
    for part in summed.parts:
        events = part.event_count if reading.aggregation == "count" else part.measured_count
        quantity = value_of(reading, part)
        if events and quantity is not None:
            yield part.groups, UsagePart(quantity, events, amount=carried.get(part.groups))


def _different(summed: SummedStretch, properties: int, carried: Carried) -> Iterator[tuple[Groups, UsagePart]]:
    events: dict[Groups, int] = {}
    values: dict[Groups, int] = {}
    for part in summed.parts:
        if part.groups[-1] is not None:
            groups = part.groups[:properties]
            events[groups] = events.get(groups, 0) + part.event_count
            values[groups] = values.get(groups, 0) + 1
    for groups, number in values.items():
        yield groups, UsagePart(Decimal(number), events[groups], amount=carried.get(groups, None))


def _named(names: Sequence[str], groups: Groups) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in zip(names, groups, strict=True) if text is not None)


def _amounts(reading: Reading, split: Split) -> Reading:
    """What the same events carry beside the value."""
    return replace(
        reading,
        aggregation="sum",
        value_property=split.amount_property,
        group_by=split.properties,
        tie_break="last_received",
    )
