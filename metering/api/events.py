"""`POST events`, the door that usage comes in by, and `GET events`, what came in."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core import personal_keys
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from metering import lookup
from metering.api import sending
from metering.api.lago import answer_single
from metering.api.rendering import ExactJSONRenderer
from metering.api.schema import EVENT_BODIES
from metering.api.serializers import CaptureAnswerSerializer, EventFilterSerializer, EventSerializer
from metering.ingest import CaptureItem, CaptureResult
from metering.models import EventCorrection, UsageEvent
from metering.rules.adapters import lago
from metering.rules.instants import instant_text


class EventsView(RuledView, GenericAPIView[UsageEvent]):
    """Accepted events, and the door that they come in by."""

    roles_by_method = {"GET": READERS, "POST": sending.SENDERS}
    permission_classes = (sending.SendingRule,)
    renderer_classes = (ExactJSONRenderer,)
    serializer_class = EventSerializer
    queryset = UsageEvent.objects.none()

    @extend_schema(parameters=[EventFilterSerializer], responses={200: EventSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        """List accepted events, the last captured first.

        Where older ones lie in archive files or in another store, a list of at most 31 days of one customer, or of one
        day, has them as well; a wider one says so in `not_listed`.
        """
        wanted = EventFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        with lookup.listing(**wanted.validated_data) as found:
            answer = self.get_paginated_response(_show_events(self.paginate_queryset(found.events) or []))
        if found.not_listed is not None:
            answer.data["not_listed"] = found.not_listed
        return answer

    @extend_schema(request=EVENT_BODIES, responses={200: CaptureAnswerSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> HttpResponse:
        """Capture events: what is answered here is committed.

        One bad event never blocks the rest; a duplicate is a success. Because `source` and `id` identify an event for
        ever, a delivery may be repeated at will and needs no Idempotency-Key.
        """
        return answer_delivery(request, origin=sending.origin_of(request))


class EventView(RuledView, APIView):
    """One accepted event by its identity."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: EventSerializer, **READ_REFUSALS})
    def get(self, request: Request, identity: str) -> Response:
        """Find the event of `source/id`; percent-encode what they hold, slashes included.

        Where servers on the way decode slashes and two events could be meant, ask `GET events?source=&id=`.
        """
        return Response(_show_events([lookup.find_event(identity)])[0])


def answer_delivery(request: Request | HttpRequest, *, origin: str) -> HttpResponse:
    """Capture what a request brought in any of the forms that `POST events` takes, and say what became of it."""
    deliveries = sending.read_deliveries(request)
    if len(deliveries) == 1 and lago.is_event(deliveries[0]):
        return answer_single(origin, deliveries[0]["event"])
    result = sending.capture_from(origin, deliveries)
    return HttpResponse(write_answer(result), content_type="application/json")


def write_answer(result: CaptureResult) -> bytes:
    """What became of a delivery, as JSON."""
    counts = {name: getattr(result, name) for name in ("received", "accepted", "duplicates", "quarantined")}
    return orjson.dumps(counts | {"items": [_item(item) for item in result.items]})


def _item(item: CaptureItem) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": item.index, "id": item.id, "status": item.status}
    if item.reasons:
        shown["reasons"] = [found.as_json() for found in item.reasons]
    return shown


def _show_events(events: Sequence[UsageEvent]) -> list[dict[str, Any]]:
    corrections = lookup.find_corrections(events)
    return [_show_event(event, corrections.get(event.seq)) for event in events]


def _show_event(event: UsageEvent, correction: EventCorrection | None) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "source": event.source,
        "id": event.event_id,
        "type": event.contract.event_type,
        "subject": event.customer.code,
        "time": instant_text(event.occurred_at),
        "received_at": instant_text(event.received_at),
        "contract_version": event.contract_version.version,
        "batch": event.batch_id,
        "fingerprint": bytes(event.fingerprint).hex(),
        "data": personal_keys.open_within(event.data),
        "extras": personal_keys.open_within(event.extras or {}),
        "correction": None if correction is None else {"kind": correction.kind, "seq": correction.since_seq},
    }
