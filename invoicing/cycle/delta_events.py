"""The events that stand behind a change: those that came late into a window, and those that were corrected since."""

from dataclasses import dataclass
from datetime import datetime

from invoicing.cycle.models import DeltaRow, Invoice, InvoiceLine
from metering import queries as metering_queries
from metering.models import AggregationSnapshot
from metering.rules import exact_json

SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CausingEvent:
    """One event as a person reads it; `what` says how it changes the window."""

    what: str
    source: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    data: str  # as exact JSON
    why: str = ""


def causing_events(row: DeltaRow, *, limit: int = SHOWN_MAX) -> list[CausingEvent]:
    """The first events that the row's new count has and the one billed before had not, or the other way round."""
    after = row.counted if row.line is None else row.line.rated_line.snapshot
    before = _billed_snapshot(row)
    if after is None or before is None:
        return []
    seen = before.watermark.seq
    late = [
        CausingEvent(
            what="came late",
            source=event.source,
            event_id=event.event_id,
            occurred_at=event.occurred_at,
            received_at=event.received_at,
            data=exact_json.write(event.data).decode(),
        )
        for event in metering_queries.snapshot_events(after, after_seq=seen, limit=limit)
    ]
    corrected = [
        CausingEvent(
            what="cancelled" if event.action == "cancel" else "amended",
            source=event.source,
            event_id=event.event_id,
            occurred_at=event.occurred_at,
            received_at=event.by_received_at,
            data=exact_json.write(event.data).decode(),
            why=f"by {event.by_event_id}" + (f": {event.why}" if event.why else ""),
        )
        for event in metering_queries.snapshot_corrections(after, limit=1000)
        if event.by_seq > seen
    ]
    return (corrected + late)[:limit]


def _billed_snapshot(row: DeltaRow) -> AggregationSnapshot | None:
    """What the last document before had counted of this window."""
    if row.corrects is None:
        return None
    before = InvoiceLine.objects.filter(adjusts=row.corrects, invoice__status=Invoice.Status.FINAL)
    if row.line is not None:
        before = before.filter(pk__lt=row.line.pk)
    elif row.counted is not None:
        before = before.filter(rated_line__snapshot__lt=row.counted.pk)
    last = before.select_related("rated_line__snapshot__watermark").order_by("-pk").first() or row.corrects
    return last.rated_line.snapshot
