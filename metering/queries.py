"""What the rest of the house asks about usage: recounts, strays, late events, live totals, the events of a snapshot."""

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from core.errors import InvalidInputError
from metering import in_force, live_totals, watermark
from metering.live_totals import ReadFrom
from metering.models import AggregationSnapshot, EventContractVersion, Meter, MeterVersion, Store, Watermark
from metering.rules import buckets
from metering.rules.arrivals import ALWAYS, Arrived
from metering.rules.identities import stored_id
from metering.rules.parts import PartsBy, Split, UsagePart
from metering.rules.readings import WEIGHED, Reading
from metering.rules.windows import Stretch, UsageWindow, find_gaps
from metering.store import (
    breakdown,
    chosen,
    corrections,
    differences,
    elsewhere,
    evidence,
    live,
    measuring,
    reading,
    recounting,
    recounting_parts,
)
from metering.store.breakdown import PartStream, SplitWindow
from metering.store.corrections import CorrectedRow
from metering.store.differences import EventDifference
from metering.store.evidence import Stream as EvidenceStream
from metering.store.live import LiveRow
from metering.store.measuring import MeterReading
from metering.store.reading import EventRow, LateWindow, StrayUsage, UsageGap
from metering.store.recounting import Counted, Recount

__all__ = [
    "CorrectedRow",
    "CustomerPeriod",
    "EventDifference",
    "EventRow",
    "EvidenceStream",
    "LateWindow",
    "LiveUsage",
    "LiveUsageRow",
    "PartStream",
    "PartsBy",
    "Recount",
    "Split",
    "StrayUsage",
    "UsagePart",
    "differing_events",
    "evidence_lines",
    "find_snapshot_events",
    "groupable_properties",
    "iterate_snapshot_events",
    "late_windows",
    "live_usage",
    "measure_changes",
    "recount",
    "recount_parts",
    "snapshot_corrections",
    "snapshot_events",
    "split_usage",
    "stray_events",
    "stray_usage",
    "version_of",
]

LIVE_ROWS_MAX = 20_000
PAGE_MAX = 1000
WINDOWS = ("minute", "hour", "day", "month")


class UsageQuestionError(InvalidInputError):
    """Usage was asked for in a way that has no answer."""

    code = "usage_question"


@dataclass(frozen=True, slots=True)
class CustomerPeriod:
    """A period for which every accepted event of the customer should have a price."""

    customer_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUsageRow:
    """A total; without a window it spans the whole time asked for."""

    start: datetime
    end: datetime
    group: dict[str, str | None]
    quantity: Decimal
    event_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUsage:
    """Totals of every event accepted by `as_of`; one being captured then is `lag_seconds` old at most."""

    as_of: datetime
    lag_seconds: float
    rows: list[LiveUsageRow]
    read_from: ReadFrom


def recount(snapshots: Sequence[AggregationSnapshot]) -> dict[int, Recount]:
    """Count the raw events of each snapshot again, at its own watermark, by SQL that did not take it."""
    versions = MeterVersion.objects.in_bulk({snapshot.meter_version_id for snapshot in snapshots})
    readings = {number: version.as_reading() for number, version in versions.items()}
    wanted = [Counted(each.pk, readings[each.meter_version_id], each.window.span) for each in snapshots]
    with _showing(snapshots):
        return recounting.recount(wanted)


def _showing(snapshots: Sequence[AggregationSnapshot]) -> AbstractContextManager[None]:
    """What these snapshots counted, wherever it lies by now."""
    if not snapshots:
        return nullcontext()
    return elsewhere.showing(
        min(snapshot.since for snapshot in snapshots),
        max(snapshot.window_end for snapshot in snapshots),
        customer_ids=sorted({snapshot.customer_id for snapshot in snapshots}),
    )


def split_usage(wanted: Sequence[tuple[AggregationSnapshot, Split]]) -> PartStream:
    """Give the parts of each snapshot by its place: the same events as it counted, at the same watermark, in order.

    A snapshot without parts is left out. To be read to the end, each one's parts before the next; memory is bounded.
    """
    readings = _readings_of([snapshot for snapshot, _ in wanted])
    seqs = _watermark_seqs([snapshot for snapshot, _ in wanted])
    windows = [
        SplitWindow(window=snapshot.window, meter=readings[snapshot.meter_version_id], split=split, up_to_seq=seq)
        for (snapshot, split), seq in zip(wanted, seqs, strict=True)
    ]
    with _showing([snapshot for snapshot, _ in wanted]):
        yield from breakdown.stream_parts(windows)


def recount_parts(wanted: Sequence[tuple[AggregationSnapshot, Split]]) -> PartStream:
    """Give the same of stored snapshots, by SQL that did not split them first."""
    readings = _readings_of([snapshot for snapshot, _ in wanted])
    kinds = [readings[snapshot.meter_version_id].reading.aggregation for snapshot, _ in wanted]
    with _showing([snapshot for snapshot, _ in wanted]):
        yield from recounting_parts.stream_parts(
            [(snapshot.pk, kind, split) for (snapshot, split), kind in zip(wanted, kinds, strict=True)]
        )


def _readings_of(snapshots: Sequence[AggregationSnapshot]) -> dict[int, MeterReading]:
    """Give how each version of these snapshots reads; UsageQuestionError for one whose quantity has no parts."""
    versions = MeterVersion.objects.select_related("meter").in_bulk({each.meter_version_id for each in snapshots})
    for version in versions.values():
        if not version.as_reading().has_parts:
            raise UsageQuestionError(
                f"{version} is a level or an average, which is measured whole and not event by event. Price it by its "
                "quantity, or let another meter count the events."
            )
    return {
        number: MeterReading(contract_id=version.meter.contract_id, reading=version.as_reading())
        for number, version in versions.items()
    }


def _watermark_seqs(snapshots: Sequence[AggregationSnapshot]) -> list[int]:
    """Read the watermarks once, not one by one; that of a preview is at hand and has no row."""
    stored = Watermark.objects.in_bulk({each.watermark_id for each in snapshots if each.watermark_id})
    return [(stored[each.watermark_id] if each.watermark_id else each.watermark).seq for each in snapshots]


def stray_usage(
    periods: Sequence[CustomerPeriod], *, windows: Sequence[UsageWindow], watermark: Watermark
) -> list[StrayUsage]:
    """Find accepted events of metered contracts, in these periods, that no window of any of their meters covers.

    An event whose contract feeds several meters has its price where one of them has; a plan need not price them all.
    `windows` are all that are priced for these customers, of every subscription they have. Each event is found once:
    under the first of the periods that it falls in.
    """
    gaps = _find_gaps(periods, priced=windows)
    if not gaps:
        return []
    customers = sorted({gap.customer_id for gap in gaps})
    with elsewhere.showing(min(gap.start for gap in gaps), max(gap.end for gap in gaps), customer_ids=customers):
        return reading.find_strays(gaps, up_to_seq=watermark.seq)


def stray_events(
    periods: Sequence[CustomerPeriod], *, windows: Sequence[UsageWindow], watermark: Watermark, limit: int
) -> dict[tuple[int, int], list[EventDifference]]:
    """Give the first events of what `stray_usage` counts, by customer and contract (ids)."""
    gaps = _find_gaps(periods, priced=windows)
    if not gaps:
        return {}
    customers = sorted({gap.customer_id for gap in gaps})
    with elsewhere.showing(min(gap.start for gap in gaps), max(gap.end for gap in gaps), customer_ids=customers):
        return differences.of_gaps(gaps, up_to_seq=watermark.seq, limit=limit)


def differing_events(snapshot: AggregationSnapshot, *, limit: int) -> list[EventDifference]:
    """Give the events of a snapshot's window that differ between their acknowledgement, the count and now.

    Those whose rows are gone are only found while all rows of the window lie in PostgreSQL's table.
    """
    is_here = chosen.find_name() == Store.POSTGRES and not elsewhere.is_any_away(snapshot.since, snapshot.window_end)
    with _showing([snapshot]):
        return differences.of_snapshot(snapshot, limit=limit, knows_all_rows=is_here)


def _find_gaps(periods: Sequence[CustomerPeriod], *, priced: Sequence[UsageWindow]) -> list[UsageGap]:
    contracts = dict(Meter.objects.values_list("pk", "contract_id"))
    covered: dict[tuple[int, int], list[Stretch]] = {}
    for window in priced:
        measured = (window.customer_id, contracts[window.meter_id])
        covered.setdefault(measured, []).append((window.start, window.end))
    return [
        UsageGap(period.customer_id, contract_id, number, start, end)
        for number, period in enumerate(_disjoint(periods))
        for contract_id in sorted(set(contracts.values()))
        for start, end in find_gaps(
            period.start, period.end, covered=covered.get((period.customer_id, contract_id), ())
        )
    ]


def _disjoint(periods: Iterable[CustomerPeriod]) -> Iterator[CustomerPeriod]:
    """Let each period of a customer begin no earlier than the ones before it ended."""
    reached: dict[int, datetime] = {}
    for period in sorted(periods, key=lambda each: (each.customer_id, each.start, each.end)):
        start = max(period.start, reached.get(period.customer_id, period.start))
        if start < period.end:
            yield CustomerPeriod(period.customer_id, start, period.end)
            reached[period.customer_id] = period.end


def late_windows(*, customer_ids: Sequence[int] | None = None, watermark: Watermark | None = None) -> list[LateWindow]:
    """Find live cycle snapshots whose window has events that neither they nor their live corrections counted.

    With a watermark only events that a count at it would see: later ones are another close's.
    """
    last_seq = None if watermark is None else watermark.seq
    with elsewhere.showing_late(customer_ids=customer_ids):
        return reading.count_late_events(customer_ids=customer_ids, last_seq=last_seq)


def snapshot_events(snapshot: AggregationSnapshot, *, after_seq: int = 0, limit: int = 100) -> list[EventRow]:
    """Give a page of the events a snapshot counted, in capture order."""
    with _showing([snapshot]):
        return reading.page_of_events(snapshot, after_seq=after_seq, limit=min(limit, PAGE_MAX))


def find_snapshot_events(snapshot: AggregationSnapshot, *, event_id: str, limit: int) -> list[EventRow]:
    """Give the events with this id that a snapshot counted: one for each source that gave it."""
    with _showing([snapshot]):
        return reading.events_of_id(snapshot, event_id=stored_id(event_id), limit=limit)


def snapshot_corrections(snapshot: AggregationSnapshot, *, after_seq: int = 0, limit: int = 100) -> list[CorrectedRow]:
    """Give a page of the events in its window that a snapshot left out because they were corrected by then."""
    with _showing([snapshot]):
        return corrections.page_of_corrected(snapshot, after_seq=after_seq, limit=min(limit, PAGE_MAX))


def iterate_snapshot_events(snapshot: AggregationSnapshot) -> Iterator[EventRow]:
    """Give every event a snapshot counted, in capture order and bounded memory."""
    with _showing([snapshot]):
        yield from reading.stream_events(snapshot)


def evidence_lines(stream: EvidenceStream) -> Generator[str]:
    """Give every event of a stream as a line of JSON, and what corrected any of them, in capture order."""
    outside = evidence.find_corrections(stream)
    start, end = evidence.span_of(stream, outside)
    with elsewhere.showing(start, end, customer_ids=[stream.customer_id]):
        yield from evidence.stream_lines(stream, outside)


def groupable_properties(meter: Meter, *, at: datetime) -> list[str]:
    """Give the properties of `data` that usage may be grouped by: those that the meter's version names.

    Where it names none, whatever a contract of this meter has ever declared.
    """
    if named := in_force.version_of(meter.pk, at=at).group_by:
        return sorted(named)
    names: set[str] = set()
    versions = EventContractVersion.objects.filter(contract=meter.contract_id).exclude(
        status=EventContractVersion.Status.DRAFT
    )
    for version in versions:
        names.update(version.billing_fields, version.context_fields, version.schema.get("properties", {}))
    return sorted(names)


def measure_changes(meter_ids: Collection[int]) -> dict[int, list[datetime]]:
    """Give, per meter, the instants at which what it measures changes: no window may lie across one."""
    return in_force.measure_changes(meter_ids)


def version_of(meter: Meter, *, at: datetime) -> MeterVersion:
    """Give what the meter measures at this instant."""
    return in_force.version_of(meter.pk, at=at)


def live_usage(
    *,
    customer_id: int,
    meter: Meter,
    start: datetime,
    end: datetime,
    window: str | None = None,
    group_by: Sequence[str] = (),
    zone: str = "UTC",
    arrived: Arrived = ALWAYS,
) -> LiveUsage:
    """Total what was accepted by now; buckets and groups without events give no row, the whole time always does.

    With `arrived` only what was received in that stretch counts: usage as it was known at an earlier moment.

    Where what the meter measures changes, a bucket ends and the next begins, as the windows of a bill do.
    """
    starts = _bucket_starts(start, end, window=window, zone=zone)
    _require_declared(group_by, meter=meter, at=start)
    as_of, lag_seconds = live.read_freshness()
    rows: list[LiveUsageRow] = []
    sources: set[ReadFrom] = set()
    for version, part in _parts_of(meter, starts, end):
        asked = _Asked(customer_id, meter.contract_id, version.as_reading(), part, group_by, zone, arrived)
        found, source = _live_rows(asked, is_whole=window is None and not group_by)
        rows += found
        sources.add(source)
    if len(rows) > LIVE_ROWS_MAX:
        raise UsageQuestionError(
            f"The answer has more than {LIVE_ROWS_MAX} rows; ask for a shorter time, wider windows or fewer groups.",
            pointer="/group_by" if group_by else "/window",
        )
    read_from = ReadFrom.EVENTS if ReadFrom.EVENTS in sources else ReadFrom.ROLLUPS
    return LiveUsage(as_of=as_of, lag_seconds=lag_seconds, rows=rows, read_from=read_from)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Live usage over buckets in which the meter measures one thing; the last of `edges` is where they end."""

    customer_id: int
    contract_id: int
    reading: Reading
    edges: list[datetime]
    group_by: Sequence[str]
    zone: str
    arrived: Arrived

    @property
    def is_level(self) -> bool:
        reading = self.reading
        return reading.is_recurring or bool(reading.operation_property) or reading.aggregation in WEIGHED


def _parts_of(meter: Meter, starts: Sequence[datetime], end: datetime) -> Iterator[tuple[MeterVersion, list[datetime]]]:
    """Cut the buckets where the measure changes, and give each run of them its version."""
    versions = in_force.versions_by_meter([meter.pk])[meter.pk]
    changes = [instant for instant in in_force.changes_of(versions) if starts[0] < instant < end]
    for first, after in pairwise([starts[0], *changes, end]):
        inside = [one for one in starts if first < one < after]
        yield in_force.at_instant(versions, first), [first, *inside, after]


def _live_rows(asked: _Asked, *, is_whole: bool) -> tuple[list[LiveUsageRow], ReadFrom]:
    """Total by statements over all buckets at once; a level is measured in each as if the bucket were billed."""
    meter = MeterReading(contract_id=asked.contract_id, reading=asked.reading)
    if asked.is_level:
        found = live_totals.LiveTotals(_levels(asked, meter), ReadFrom.EVENTS)
    else:
        found = live_totals.read_totals(
            customer_id=asked.customer_id,
            meter=meter,
            edges=asked.edges,
            group_by=asked.group_by,
            rows_max=LIVE_ROWS_MAX + 1,
            arrived=asked.arrived,
        )
    totals = found.rows
    if not totals and is_whole:
        totals = [LiveRow(0, (), Decimal(0), 0)]
    return [_live_row(total, edges=asked.edges, group_by=asked.group_by) for total in totals], found.read_from


def _levels(asked: _Asked, meter: MeterReading) -> list[LiveRow]:
    if asked.group_by:
        raise UsageQuestionError(
            "This meter measures a level, which is not split by properties; leave `group_by` out.", pointer="/group_by"
        )
    if not asked.arrived.is_everything:
        raise UsageQuestionError(
            "This meter measures a level; ask for it as it is known now.", pointer="/received_before"
        )
    windows = [
        (UsageWindow(asked.customer_id, 0, start, end, zone=asked.zone), meter) for start, end in pairwise(asked.edges)
    ]
    since = measuring.EVER if asked.reading.is_recurring else asked.edges[0]
    with elsewhere.showing(since, asked.edges[-1], customer_ids=[asked.customer_id]):
        measures = measuring.measure_windows(windows, up_to_seq=watermark.find_last_seq())
    return [
        LiveRow(number, (), measure.quantity, measure.event_count)
        for number, measure in enumerate(measures)
        if measure.event_count
    ]


def _live_row(total: LiveRow, *, edges: Sequence[datetime], group_by: Sequence[str]) -> LiveUsageRow:
    return LiveUsageRow(
        start=edges[total.bucket],
        end=edges[total.bucket + 1],
        group=dict(zip(group_by, total.group, strict=True)),
        quantity=total.quantity,
        event_count=total.event_count,
    )


def _require_declared(group_by: Sequence[str], *, meter: Meter, at: datetime) -> None:
    if not group_by:
        return
    declared = groupable_properties(meter, at=at)
    unknown = [name for name in group_by if name not in declared]
    if unknown:
        raise UsageQuestionError(
            f"{meter.code} declares no property {', '.join(unknown)[:200]} to group by; it declares "
            f"{', '.join(declared) or 'none at all'}.",
            pointer="/group_by",
        )


def _bucket_starts(start: datetime, end: datetime, *, window: str | None, zone: str) -> list[datetime]:
    if not start < end:
        raise UsageQuestionError("`end` must lie after `start`.", pointer="/end")
    if window is None:
        return [start]
    if window not in WINDOWS:
        raise UsageQuestionError(f"`window` is one of {', '.join(WINDOWS)}.", pointer="/window")
    try:
        return buckets.bucket_starts(start, end, window=window, zone=zone)
    except ValueError as error:
        raise UsageQuestionError(f"That time has {error}; ask for wider windows.", pointer="/window") from error
