"""The walk of a line as JSON: what it rests on, each step done again, and a page of its events."""

from collections.abc import Sequence
from typing import Any

from compliance.evidence.agreed import Agreed
from compliance.evidence.events import EventPage
from compliance.evidence.followed import Followed
from compliance.evidence.forward import Billed
from compliance.evidence.models import LineRecount
from compliance.evidence.parts import PartPage
from compliance.evidence.rules.proof import Check
from compliance.evidence.trace import Trace
from core import money
from invoicing.cycle.models import InvoiceLine
from invoicing.rating.models import RatedLine
from invoicing.rating.rules.proration import Share
from metering.models import AggregationSnapshot
from metering.queries import CorrectedRow


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
        "agreed": None if walked is None else _agreed(walked.agreed),
        "snapshot": None if snapshot is None else _snapshot(snapshot),
        "billed_before": _billed(walked.billed_before) if walked and walked.billed_before else None,
        "stands_on": [_other_line(row.ground) for row in (walked.grounds if walked else ())],
        "carries": [_other_line(row.line) for row in (walked.carries if walked else ())],
        "followed": [_followed(one) for one in (walked.followed if walked else ())],
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


def _agreed(agreed: Agreed) -> dict[str, Any]:
    paid = agreed.used_of
    return {
        "share": _share(agreed.share) if agreed.is_divided else None,
        "quantity": None if agreed.quantity is None else money.plain(agreed.quantity),
        "paid_in_advance": None if paid is None else {"start": paid.start, "end": paid.end},
        "pieces": [
            {
                "time": {"start": piece.start, "end": piece.end},
                "share": _share(piece.share),
                "plan": piece.terms.plan.code,
                "plan_version": piece.terms.version,
                "price_version": piece.price.version,
            }
            for piece in agreed.pieces
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    return {"part": share.part, "whole": share.whole, "unit": share.unit, "says": share.counted}


def _other_line(rated: RatedLine) -> dict[str, Any]:
    billed = getattr(rated, "invoice_line", None)
    return {
        "rated_line": rated.pk,
        "charge": rated.charge.code,
        "line": billed.pk if billed else None,
        "amount": money.amount_text(rated.amount, currency=rated.currency),
    }


def _followed(later: Followed) -> dict[str, Any]:
    kind = "credit-lines" if later.is_credit else "lines"
    return {
        "how": str(later.how),
        "invoice": later.invoice.pk,
        "number": later.invoice.number,
        "status": later.invoice.status,
        "line": later.line_id,
        "position": later.position,
        "amount": money.amount_text(later.amount, currency=later.invoice.currency),
        "trace": f"/api/v1/invoices/{later.invoice.pk}/{kind}/{later.line_id}/trace",
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
        "checks": checks_json(walked.checks),
    }


def checks_json(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Each step as TraceCheckSerializer has it."""
    return [
        {"step": check.step, "claimed": check.claimed, "found": check.found, "equal": check.is_equal}
        for check in checks
    ]


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
                "sealed_since": event.is_sealed_since,
            }
            for event in page.events
        ],
        "next_after": page.next_after,
    }
