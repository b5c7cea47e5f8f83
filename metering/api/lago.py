"""Lago's addresses for events: `POST events` with `{"event": {...}}`, and `POST events/batch`."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from metering.api import sending
from metering.api.rendering import exact_response
from metering.ingest import CaptureResult
from metering.rules import exact_json, reading
from metering.rules.adapters import lago
from metering.rules.reading import Delivery, Unreadable
from metering.store import postgres


class LagoBatchView(sending.SendingView):
    """Up to 100 events in Lago's form; those without a flaw are captured whatever the others say."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        bodies = reading.read_document(sending.read_body(request).strip() or b"{}")
        whole = bodies[0] if len(bodies) == 1 else {}
        sent = None if isinstance(whole, Unreadable) else whole.get("events")
        if not isinstance(sent, list) or not sent:
            return _refusal({"events": ["value_is_mandatory"]})
        if len(sent) > lago.EVENTS_MAX:
            return _refusal({"events": ["too_many_events"]})
        at = postgres.read_clock()
        result = sending.capture_sent(request, [_delivery(one, at=at) for one in sent])
        details = _details(result)
        if details:
            return _refusal({str(index): found for index, found in details.items()}, kept=result.quarantined)
        return exact_response({"events": [lago.shown(one, at=at) for one in sent]})


def answer_single(origin: str, sent: dict[str, Any]) -> HttpResponse:
    """Capture the event of a body `{"event": {...}}` and answer as Lago does."""
    at = postgres.read_clock()
    result = sending.capture_from(origin, [_delivery(sent, at=at)])
    details = _details(result)
    return (
        _refusal(details[0], kept=result.quarantined) if details else exact_response({"event": lago.shown(sent, at=at)})
    )


def _delivery(sent: Any, *, at: datetime) -> Delivery:
    event = lago.event_of(sent, at=at)
    if isinstance(event, dict):
        return event
    return reading.read_one(exact_json.write(event).decode())


def _details(result: CaptureResult) -> dict[int, dict[str, list[str]]]:
    """What Lago would say against each event; one that it has already is refused there, and here was counted before."""
    return {
        item.index: lago.error_details(item.reasons) if item.reasons else {"transaction_id": [lago.TAKEN]}
        for item in result.items
    }


def _refusal(details: dict[str, Any], *, kept: int = 0) -> HttpResponse:
    body = {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors", "error_details": details}
    if kept:
        body["detail"] = f"Kept for review: {kept}. Put right what is wrong, then release it or send it again."
    return exact_response(body, status=422)
