"""What a snapshot counted: counted again, split into parts, and event by event."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from core.errors import InvalidInputError
from metering.models import AggregationSnapshot, MeterVersion, Store, Watermark
from metering.rules.identities import stored_id
from metering.rules.parts import Split
from metering.store import (
    breakdown,
    chosen,
    corrections,
    differences,
    elsewhere,
    evidence,
    reading,
    recounting,
    recounting_parts,
)
from metering.store.breakdown import PartStream, SplitWindow
from metering.store.corrections import CorrectedRow
from metering.store.differences import EventDifference
from metering.store.evidence import Stream as EvidenceStream
from metering.store.measuring import MeterReading
from metering.store.reading import EventRow
from metering.store.recounting import Counted, Recount

PAGE_MAX = 1000


class UsageQuestionError(InvalidInputError):
    """Usage was asked for in a way that has no answer."""

    code = "usage_question"


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


def differing_events(snapshot: AggregationSnapshot, *, limit: int) -> list[EventDifference]:
    """Give the events of a snapshot's window that differ between their acknowledgement, the count and now.

    Those whose rows are gone are only found while all rows of the window lie in PostgreSQL's table.
    """
    is_here = chosen.find_name() == Store.POSTGRES and not elsewhere.is_any_away(snapshot.since, snapshot.window_end)
    with _showing([snapshot]):
        return differences.of_snapshot(snapshot, limit=limit, knows_all_rows=is_here)


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
    return corrections.page_of_corrected(snapshot, after_seq=after_seq, limit=min(limit, PAGE_MAX))


def iterate_snapshot_events(snapshot: AggregationSnapshot) -> Iterator[EventRow]:
    """Give every event a snapshot counted, in capture order and bounded memory."""
    with _showing([snapshot]):
        yield from reading.stream_events(snapshot)


def evidence_lines(stream: EvidenceStream) -> Generator[str]:
    """Give every event of a stream as a line of JSON, and what corrected any of them, in capture order."""
    outside = corrections.find_from_outside(
        customer_id=stream.customer_id,
        contract_id=stream.contract_id,
        start=stream.start,
        end=stream.end,
        up_to_seq=stream.up_to_seq,
    )
    with (
        elsewhere.showing_single(outside),
        elsewhere.showing(stream.start, stream.end, customer_ids=[stream.customer_id]),
    ):
        yield from evidence.stream_lines(stream, corrections=outside)
