"""The walk forward from where it begins: from an event or a snapshot to the lines that bill it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from invoicing.cycle.models import InvoiceLine
from metering import lookup
from metering.models import AggregationSnapshot, EventCorrection, UsageEvent
from metering.rules import filters

SNAPSHOTS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A snapshot whose window an event lies in, whether it counted the event, and the lines that bill the snapshot."""

    snapshot: AggregationSnapshot
    is_counted: bool
    why: str
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReach:
    """An event, what corrected it, and every snapshot over its time."""

    event: UsageEvent
    correction: EventCorrection | None
    reached: tuple[Reached, ...]


def reach_of_event(*, source: str, event_id: str) -> EventReach:
    """Where an event was counted, and where not and why; NotFoundError where there is no such event."""
    event = lookup.event_of_identity(source=source, event_id=event_id)
    correction = EventCorrection.objects.filter(seq=event.seq).first()
    snapshots = _snapshots(
        Q(customer=event.customer_id, meter__contract=event.contract_id, window_end__gt=event.occurred_at)
        & (Q(window_start__lte=event.occurred_at) | Q(meter_version__is_recurring=True))
    )
    lines = _lines_by_snapshot(snapshots)
    reached = []
    for each in snapshots:
        why = _why_not(event, each, correction)
        reached.append(
            Reached(snapshot=each, is_counted=not why, why=why or "counted", lines=tuple(lines.get(each.pk, ())))
        )
    return EventReach(event=event, correction=correction, reached=tuple(reached))


def lines_of_snapshot(snapshot: AggregationSnapshot) -> list[InvoiceLine]:
    """The lines that bill this snapshot: one, or none while nothing was drafted from it."""
    return _lines_by_snapshot([snapshot]).get(snapshot.pk, [])


def find_snapshot(pk: int) -> AggregationSnapshot | None:
    return _snapshots(Q(pk=pk))[0] if AggregationSnapshot.objects.filter(pk=pk).exists() else None


def _snapshots(which: Q) -> list[AggregationSnapshot]:
    related = ("meter__contract", "meter_version", "watermark", "customer")
    return list(AggregationSnapshot.objects.filter(which).select_related(*related).order_by("pk")[:SNAPSHOTS_MAX])


def _lines_by_snapshot(snapshots: Sequence[AggregationSnapshot]) -> dict[int, list[InvoiceLine]]:
    lines = InvoiceLine.objects.filter(rated_line__snapshot__in=[each.pk for each in snapshots])
    found: dict[int, list[InvoiceLine]] = {}
    for line in lines.select_related("invoice", "rated_line").order_by("pk"):
        found.setdefault(line.rated_line.snapshot_id or 0, []).append(line)
    return found


def _why_not(event: UsageEvent, snapshot: AggregationSnapshot, correction: EventCorrection | None) -> str:
    """Why the snapshot left the event out; empty where it counted it."""
    if event.seq > snapshot.watermark.seq:
        return "captured after this was counted"
    if correction is not None and correction.since_seq <= snapshot.watermark.seq:
        return f"{correction.get_kind_display().lower()} by then"
    if not filters.matches(snapshot.meter_version.as_reading().filters, event.data):
        return "left out by the filters of the meter"
    return ""
