"""What windows come to by the sums of usage, any number at once: for decisions that cannot wait for a count.

A bill never reads sums. Where they cannot tell (days that weigh, what is added and removed, each event in its order)
the answer says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db import transaction
from django.db.models import Max

from core import rounding
from metering import in_force, rollups
from metering.models import Meter, RollupSeries
from metering.rules import aggregation, buckets, covering
from metering.rules.aggregation import Ratio
from metering.rules.parts import PartsBy, Split, UsagePart
from metering.rules.readings import UNIQUE, Reading
from metering.rules.windows import UsageWindow
from metering.store import elsewhere, rolled_windows
from metering.store.measuring import EVER
from metering.store.rolled_windows import RolledPart, RolledSum, RolledWindow

ZERO = Decimal(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEIGHED_BY_TIME = "time_weighted_sum"


@dataclass(frozen=True, slots=True)
class SumWindow:
    """A window of one meter, and how a price splits it."""

    window: UsageWindow
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """What a window comes to over every event up to `seq`; `is_behind` while its sums are still being caught up."""

    quantity: Decimal
    event_count: int
    parts: tuple[UsagePart, ...]
    seq: int
    is_behind: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """One window as it is put together: its meter's reading, and the series that hold its values and its amounts.

    `summed` is what the series of the values reads, and `names` the properties by which its rows are told apart.
    """

    window: UsageWindow
    reading: Reading
    summed: Reading
    names: tuple[str, ...]
    split: Split | None
    edges: tuple[datetime, ...]
    values: tuple[int, str]
    amounts: tuple[int, str] | None


def find_watermark() -> int:
    """Give the last event that the sums have; those of a new way to read may still be behind."""
    last: int | None = RollupSeries.objects.aggregate(last=Max("seq"))["last"]
    return last or 0


def find_customers(*, after: int, up_to: int) -> list[int]:
    """Give whose events were captured with a number in `(after, up_to]`: each event is looked at once, then never."""
    if after >= up_to:
        return []
    with transaction.atomic(), elsewhere.showing_numbers(after=after, up_to=up_to):
        return rolled_windows.find_customers(after=after, up_to=up_to)


def sum_windows(wanted: Sequence[SumWindow]) -> list[Summed | None]:
    """Sum each window in its order; None where sums cannot tell. The statements do not grow with the windows.

    A split that no meter keeps apart gets a series of its own, which is behind until the next rounds of `rollups`.
    """
    asked = _ask(wanted)
    known = _series({one.values[0] for one in asked.values()})
    missing = {key: reading for one in asked.values() for key, reading in _needs(one) if key not in known}
    if missing:
        rollups.start_series({key: missing[key] for key in sorted(missing)})
        known = _series({one.values[0] for one in asked.values()})
    rolled: list[RolledWindow] = []
    places: list[tuple[int, bool, int]] = []  # of which window, its amounts or its values, and which bucket
    for place, one in asked.items():
        customer_id = wanted[place].window.customer_id
        for key, is_amount in ((one.values, False), (one.amounts, True)):
            if key is not None:
                for bucket, edges in enumerate(pairwise(one.edges)):
                    places.append((place, is_amount, bucket))
                    rolled.append(_rolled(one, known[key], customer_id=customer_id, edges=edges))
    found: dict[int, dict[bool, list[RolledSum]]] = {place: {False: [], True: []} for place in asked}
    for (place, is_amount, _), summed in zip(places, _read(rolled), strict=True):
        found[place][is_amount].append(summed)
    watermark = find_watermark()
    answers: list[Summed | None] = [None] * len(wanted)
    for place, one in asked.items():
        answers[place] = _put_together(one, found[place][False], found[place][True], watermark=watermark)
    return answers


def _read(windows: Sequence[RolledWindow]) -> list[RolledSum]:
    bare = rolled_windows.bare_stretches(windows)
    if not bare:
        return rolled_windows.read_sums(windows)
    with transaction.atomic(), elsewhere.showing_days(bare):
        return rolled_windows.read_sums(windows)


def _ask(wanted: Sequence[SumWindow]) -> dict[int, _Asked]:
    meters = {each.window.meter_id for each in wanted}
    versions = in_force.versions_by_meter(meters)
    contracts = dict(Meter.objects.filter(pk__in=meters).values_list("pk", "contract_id"))
    asked = {}
    for place, each in enumerate(wanted):
        window = each.window
        reading = in_force.at_instant(versions[window.meter_id], window.start).as_reading()
        one = _ask_one(each, reading, contract_id=contracts[window.meter_id])
        if one is not None:
            asked[place] = one
    return asked


def _ask_one(each: SumWindow, reading: Reading, *, contract_id: int) -> _Asked | None:
    split, window = each.split, each.window
    summed = _summed_as(reading)
    if summed is None or (split is not None and not _can_split(reading, split)):
        return None
    edges = _edges(window, reading)
    names: tuple[str, ...] = (reading.value_property,) if reading.aggregation in UNIQUE else ()
    if split is not None and split.by is PartsBy.BUCKET:
        starts = buckets.bucket_starts(window.start, window.end, window=split.bucket, zone=split.zone)
        edges = (*starts, window.end)
        if any(span.grain is None for span in covering.cover(starts[1:])):
            return None  # the days of this zone begin within an hour
    elif split is not None:
        names = (reading.value_property,) if split.by is PartsBy.VALUE else split.properties
        if not set(names) <= set(reading.group_by):
            summed = replace(summed, group_by=names)
    values = (contract_id, rollups.hash_of(summed))
    amounts = None if split is None or not split.amount_property else _amounts(reading, split)
    return _Asked(
        window,
        reading,
        summed,
        names,
        split,
        edges,
        values,
        None if amounts is None else (contract_id, rollups.hash_of(amounts)),
    )


def _edges(window: UsageWindow, reading: Reading) -> tuple[datetime, ...]:
    """A level weighs from the start of the window; what was there before it is a stretch of its own."""
    if not reading.is_recurring:
        return window.start, window.end
    return (EVER, window.start, window.end) if reading.aggregation == WEIGHED_BY_TIME else (EVER, window.end)


def _summed_as(reading: Reading) -> Reading | None:
    """What has to be added up for this meter: a level is the sum of all there ever was, values are told by their rows.

    None where that does not tell it.
    """
    lasting = replace(reading, is_recurring=False)
    if reading.aggregation == "unique_count" and not reading.operation_property:
        return replace(lasting, aggregation="count", value_property="", group_by=(reading.value_property,))
    if reading.aggregation == WEIGHED_BY_TIME:
        return replace(lasting, aggregation="sum")
    return lasting if rollups.can_be_rolled_up(lasting) else None


def _can_split(reading: Reading, split: Split) -> bool:
    if not reading.has_parts or reading.aggregation in UNIQUE:
        return False
    match split.by:
        case PartsBy.EVENT:
            return False
        case PartsBy.VALUE:
            return reading.aggregation == "sum"
        case PartsBy.BUCKET:
            return split.bucket != "minute"
        case _:
            return reading.aggregation != "last"  # the last of all is none of the sums of the combinations


def _amounts(reading: Reading, split: Split) -> Reading:
    """What the same events carry beside the value."""
    return replace(
        reading,
        aggregation="sum",
        value_property=split.amount_property,
        group_by=split.properties,
        tie_break="last_received",
    )


def _needs(one: _Asked) -> list[tuple[tuple[int, str], Reading]]:
    needed = [(one.values, one.summed)]
    if one.amounts is not None and one.split is not None:
        needed.append((one.amounts, _amounts(one.reading, one.split)))
    return needed


def _series(contract_ids: set[int]) -> dict[tuple[int, str], RollupSeries]:
    found = RollupSeries.objects.filter(contract__in=contract_ids)
    return {(series.contract_id, series.reading_hash): series for series in found}


def _rolled(one: _Asked, series: RollupSeries, *, customer_id: int, edges: tuple[datetime, datetime]) -> RolledWindow:
    return RolledWindow(
        series_id=series.pk,
        customer_id=customer_id,
        spans=tuple(covering.cover(edges)),
        places=tuple(series.group_by.index(name) + 1 for name in one.names),
        is_distinct=one.reading.aggregation in UNIQUE,
    )


def _put_together(
    one: _Asked, values: Sequence[RolledSum], amounts: Sequence[RolledSum], *, watermark: int
) -> Summed | None:
    reading = one.reading
    everything = [part for summed in values for part in summed.parts]
    if reading.aggregation == WEIGHED_BY_TIME:
        weighed = _weigh(one, values)
        if weighed is None:
            return None  # rows from before moments were kept
        ratio = Ratio(weighed, one.window.span.period_length)
    else:
        ratio = Ratio(*_whole(reading, everything))
    seq = min(summed.seq for summed in (*values, *amounts))
    return Summed(
        quantity=aggregation.quantity_of(ratio, reading=reading),
        event_count=sum(part.event_count for part in everything),
        parts=() if one.split is None else tuple(_parts(one, values, amounts)),
        seq=seq,
        is_behind=seq < watermark,
    )


def _weigh(one: _Asked, values: Sequence[RolledSum]) -> Decimal | None:
    """Each value times the microseconds that are left after its event: the values times the end, less their moment."""
    start, end = _microseconds(one.window.start), _microseconds(one.window.end)
    weighed = ZERO
    with rounding.exactly():
        for (_, until), summed in zip(pairwise(one.edges), values, strict=True):
            for part in summed.parts:
                if part.total is None:
                    continue
                if until <= one.window.start:
                    weighed += part.total * (end - start)
                elif part.moment is None:
                    return None
                else:
                    weighed += part.total * end - part.moment * 1_000_000
    return weighed


def _microseconds(instant: datetime) -> Decimal:
    return Decimal((instant - EPOCH) // timedelta(microseconds=1))


def _whole(reading: Reading, parts: Sequence[RolledPart]) -> tuple[Decimal, Decimal]:
    """The quantity of all parts together, and what it is divided by."""
    if reading.aggregation in UNIQUE:
        return Decimal(sum(part.measured_count for part in parts)), Decimal(1)
    if reading.aggregation == "average":
        measured = sum(part.measured_count for part in parts)
        return sum((part.total or ZERO for part in parts), ZERO), Decimal(measured or 1)
    found = [quantity for part in parts if (quantity := _quantity(reading, part)) is not None]
    match reading.aggregation:
        case "max":
            return max(found, default=ZERO), Decimal(1)
        case "min":
            return min(found, default=ZERO), Decimal(1)
        case "last":
            return (found[-1] if found else ZERO), Decimal(1)
        case _:
            return sum(found, ZERO), Decimal(1)


def _quantity(reading: Reading, part: RolledPart) -> Decimal | None:
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


def _parts(one: _Asked, values: Sequence[RolledSum], amounts: Sequence[RolledSum]) -> list[UsagePart]:
    assert one.split is not None  # noqa: S101  only a split has parts
    carried: Mapping[tuple[int, tuple[str | None, ...]], Decimal | None] = {
        (bucket, part.groups): part.total for bucket, summed in enumerate(amounts) for part in summed.parts
    }
    is_bucket, is_value = one.split.by is PartsBy.BUCKET, one.split.by is PartsBy.VALUE
    parts = []
    for bucket, summed in enumerate(values):
        for part in summed.parts:
            events = part.event_count if one.reading.aggregation == "count" else part.measured_count
            quantity = _quantity(one.reading, part)
            if not events or quantity is None:
                continue  # an event without a value that the meter can read is in no part
            named = zip(one.split.properties, part.groups, strict=True) if not (is_bucket or is_value) else ()
            parts.append(
                UsagePart(
                    quantity if not is_value or part.highest is None else part.highest,
                    events,
                    properties=tuple((name, text) for name, text in named if text is not None),
                    bucket=one.edges[bucket] if is_bucket else None,
                    amount=carried.get((bucket, part.groups)),
                )
            )
    return parts
