"""The walk of a line as JSON: what it rests on, each step done again, and a page of its events."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from compliance.evidence.events import EventPage
from compliance.evidence.forward import Billed
from compliance.evidence.models import LineRecount
from compliance.evidence.parts import PartPage
from compliance.evidence.trace import Counted, Trace
from core import money
from core.http.fields import JsonField
from invoicing.cycle.models import InvoiceLine
from invoicing.rating.models import RatedLine
from metering.models import AggregationSnapshot
from metering.queries import CorrectedRow


class TraceSpanSerializer(serializers.Serializer[Any]):
    """`[start, end)`."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class TraceLineSerializer(serializers.Serializer[Any]):
    """What stands on the invoice."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    description = serializers.CharField()
    segment = TraceSpanSerializer()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    adjusts = serializers.IntegerField(allow_null=True)


class TraceRatingSerializer(serializers.Serializer[Any]):
    """The price and what it made of the quantity."""

    rated_line = serializers.IntegerField()
    charge = serializers.CharField()
    price_version = serializers.IntegerField()
    version = serializers.IntegerField()
    model = serializers.CharField()
    params = JsonField()
    effective_at = serializers.DateTimeField()
    quantity = serializers.CharField()
    computation = JsonField()
    amount_exact = serializers.CharField()
    amount = serializers.CharField()
    rounding_level = serializers.CharField()
    rounding = serializers.CharField()
    part_count = serializers.IntegerField(allow_null=True)
    parts_digest = serializers.CharField()


class TraceOtherLineSerializer(serializers.Serializer[Any]):
    """A line that this one rates, or that rates this one among others; `line` is where it is billed."""

    rated_line = serializers.IntegerField()
    charge = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    amount = serializers.CharField()


class TracePartSerializer(serializers.Serializer[Any]):
    """Some of the usage, as the price looks at it."""

    quantity = serializers.CharField()
    events = serializers.IntegerField()
    properties = JsonField()
    bucket = serializers.DateTimeField(allow_null=True)
    amount = serializers.CharField(allow_null=True)


class TracePartPageSerializer(serializers.Serializer[Any]):
    """A page of the parts in their order."""

    results = TracePartSerializer(many=True)
    next_after = serializers.IntegerField(allow_null=True)


class TraceSnapshotSerializer(serializers.Serializer[Any]):
    """What was measured, and which events it saw."""

    id = serializers.IntegerField()
    meter = serializers.CharField()
    aggregation = serializers.CharField()
    window = TraceSpanSerializer()
    quantity = serializers.CharField()
    event_count = serializers.IntegerField()
    unmeasured_count = serializers.IntegerField()
    digest = serializers.CharField()
    watermark = serializers.IntegerField()
    taken_at = serializers.DateTimeField()


class TraceBilledSerializer(serializers.Serializer[Any]):
    """What final invoices had billed of this usage before: an adjustment corrects it, any other line takes it off."""

    lines = serializers.ListField(child=serializers.IntegerField())
    quantity = serializers.CharField()
    amount = serializers.CharField()


class TraceCheckSerializer(serializers.Serializer[Any]):
    """One step done again."""

    step = serializers.CharField()
    claimed = serializers.CharField()
    found = serializers.CharField()
    equal = serializers.BooleanField()


class TraceProofSerializer(serializers.Serializer[Any]):
    """The way forward; `first_difference` names the step at which it leaves the books."""

    verdict = serializers.ChoiceField(choices=["equal", "different"])
    first_difference = serializers.CharField(allow_null=True)
    event_by_event = serializers.BooleanField(help_text="False: too many to look at one by one.")
    counted = serializers.ChoiceField(
        choices=[(str(one), str(one)) for one in Counted],
        help_text="`not now`: too many to count them again for this answer; ask with recount=true, or see recounted.",
    )
    checks = TraceCheckSerializer(many=True)


class TraceRecountSerializer(serializers.Serializer[Any]):
    """The last time that all events behind the line were counted again by a job."""

    finished_at = serializers.DateTimeField()
    equal = serializers.BooleanField()
    checks = TraceCheckSerializer(many=True)


class TraceEventSerializer(serializers.Serializer[Any]):
    """A source event, and whether its row still gives the fingerprint it was captured with."""

    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    value = serializers.CharField(allow_null=True)
    fingerprint = serializers.CharField()
    as_captured = serializers.BooleanField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Every serializer has `source` and `data` of its own, so these fields cannot be class attributes.
        return {"source": serializers.CharField(), **super().get_fields(), "data": JsonField()}


class TraceCorrectionSerializer(serializers.Serializer[Any]):
    """The event by which another was amended or cancelled, and the sender's reason."""

    action = serializers.ChoiceField(choices=["amend", "cancel"])
    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # As for TraceEventSerializer.
        return {**super().get_fields(), "data": JsonField()}


class TraceCorrectedSerializer(serializers.Serializer[Any]):
    """An event of the window that was not counted, because it was corrected by then."""

    seq = serializers.IntegerField()
    id = serializers.CharField()
    time = serializers.DateTimeField()
    correction = TraceCorrectionSerializer()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # As for TraceEventSerializer.
        return {"source": serializers.CharField(), **super().get_fields(), "data": JsonField()}


class TraceEventPageSerializer(serializers.Serializer[Any]):
    """A page of events in capture order."""

    results = TraceEventSerializer(many=True)
    next_after = serializers.IntegerField(allow_null=True)


class TraceSerializer(serializers.Serializer[Any]):
    """The walk of one line."""

    line = TraceLineSerializer()
    rating = TraceRatingSerializer()
    snapshot = TraceSnapshotSerializer(allow_null=True)
    billed_before = TraceBilledSerializer(allow_null=True)
    stands_on = TraceOtherLineSerializer(many=True)
    carries = TraceOtherLineSerializer(many=True)
    proof = TraceProofSerializer(allow_null=True)
    recounted = TraceRecountSerializer(allow_null=True)
    corrected = TraceCorrectedSerializer(many=True, help_text="With the first page; at most 100.")
    parts = TracePartPageSerializer(allow_null=True)
    events = TraceEventPageSerializer()


def trace_answer(
    line: InvoiceLine,
    *,
    walked: Trace | None,
    corrected: Sequence[CorrectedRow],
    page: EventPage | None,
    split: PartPage | None,
    latest: LineRecount | None = None,
) -> dict[str, Any]:
    """Plain values for the serializer; without a walk only what is stored."""
    snapshot = line.rated_line.snapshot
    return {
        "line": _line(line),
        "rating": _rating(line.rated_line),
        "snapshot": None if snapshot is None else _snapshot(snapshot),
        "billed_before": _billed(walked.billed_before) if walked and walked.billed_before else None,
        "stands_on": [_other_line(row.ground) for row in (walked.grounds if walked else ())],
        "carries": [_other_line(row.line) for row in (walked.carries if walked else ())],
        "proof": None if walked is None else _proof(walked),
        "recounted": None if latest is None else _recount(latest),
        "corrected": [_corrected(row) for row in corrected],
        "parts": None if split is None else _parts(split),
        "events": {"results": [], "next_after": None} if page is None else _events(page),
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "position": line.position,
        "invoice": line.invoice_id,
        "number": line.invoice.number,
        "status": line.invoice.status,
        "description": line.description,
        "segment": {"start": line.segment_start, "end": line.segment_end},
        "quantity": money.plain(line.quantity),
        "unit": line.unit,
        "amount": money.amount_text(line.amount, currency=line.invoice.currency),
        "currency": line.invoice.currency,
        "adjusts": line.adjusts_id,
    }


def _rating(rated: RatedLine) -> dict[str, Any]:
    version = rated.price_version
    return {
        "rated_line": rated.pk,
        "charge": rated.charge.code,
        "price_version": version.pk,
        "version": version.version,
        "model": version.model,
        "params": version.params,
        "effective_at": rated.effective_at,
        "quantity": money.plain(rated.quantity),
        "computation": rated.computation,
        "amount_exact": money.plain(rated.amount_exact),
        "amount": money.amount_text(rated.amount, currency=rated.currency),
        "rounding_level": rated.rounding_level,
        "rounding": money.amount_text(rated.rounding, currency=rated.currency),
        "part_count": rated.part_count,
        "parts_digest": rated.parts_digest,
    }


def _other_line(rated: RatedLine) -> dict[str, Any]:
    billed = getattr(rated, "invoice_line", None)
    return {
        "rated_line": rated.pk,
        "charge": rated.charge.code,
        "line": billed.pk if billed else None,
        "amount": money.amount_text(rated.amount, currency=rated.currency),
    }


def _parts(split: PartPage) -> dict[str, Any]:
    return {
        "results": [
            {
                "quantity": money.plain(part.quantity),
                "events": part.events,
                "properties": dict(part.properties),
                "bucket": part.bucket,
                "amount": None if part.amount is None else money.plain(part.amount),
            }
            for part in split.parts
        ],
        "next_after": split.next_after,
    }


def _snapshot(snapshot: AggregationSnapshot) -> dict[str, Any]:
    return {
        "id": snapshot.pk,
        "meter": snapshot.meter.code,
        "aggregation": snapshot.meter_version.aggregation,
        "window": {"start": snapshot.window_start, "end": snapshot.window_end},
        "quantity": money.plain(snapshot.quantity),
        "event_count": snapshot.event_count,
        "unmeasured_count": snapshot.unmeasured_count,
        "digest": snapshot.digest,
        "watermark": snapshot.watermark.seq,
        "taken_at": snapshot.taken_at,
    }


def _billed(billed: Billed) -> dict[str, Any]:
    return {
        "lines": [line.pk for line in billed.lines],
        "quantity": money.plain(billed.quantity),
        "amount": money.plain(billed.amount),
    }


def _proof(walked: Trace) -> dict[str, Any]:
    difference = walked.first_difference
    return {
        "verdict": "equal" if difference is None else "different",
        "first_difference": None if difference is None else difference.step,
        "event_by_event": walked.is_event_by_event,
        "counted": str(walked.counted),
        "checks": [
            {"step": check.step, "claimed": check.claimed, "found": check.found, "equal": check.is_equal}
            for check in walked.checks
        ],
    }


def _recount(latest: LineRecount) -> dict[str, Any]:
    checks = [{**check, "equal": check["claimed"] == check["found"]} for check in latest.checks]
    return {"finished_at": latest.finished_at, "equal": latest.is_equal, "checks": checks}


def _corrected(row: CorrectedRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "source": row.source,
        "id": row.event_id,
        "time": row.occurred_at,
        "data": row.data,
        "correction": {
            "action": row.action,
            "seq": row.by_seq,
            "id": row.by_event_id,
            "time": row.by_occurred_at,
            "received_at": row.by_received_at,
            "data": row.by_data,
            "reason": row.why,
        },
    }


def _events(page: EventPage) -> dict[str, Any]:
    return {
        "results": [
            {
                "seq": event.row.seq,
                "source": event.row.source,
                "id": event.row.event_id,
                "time": event.row.occurred_at,
                "received_at": event.row.received_at,
                "value": None if event.row.value is None else str(event.row.value),
                "data": event.row.data,
                "fingerprint": event.row.fingerprint.hex(),
                "as_captured": event.is_as_captured,
            }
            for event in page.events
        ],
        "next_after": page.next_after,
    }
