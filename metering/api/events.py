"""`POST events`, the door that usage comes in by, and `GET events`, what came in."""

from typing import Any

import orjson
from django.http import HttpResponse
from django.http.request import UnreadablePostError
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey, Scope
from accounts.permissions import READERS, RoleRule, RuledView
from accounts.roles import Role
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from metering import capture, ingest, lookup
from metering.api.rendering import ExactJSONRenderer
from metering.api.schema import EVENT_BODIES
from metering.api.serializers import CaptureAnswerSerializer, EventFilterSerializer, EventSerializer
from metering.capture import Readable
from metering.ingest import CaptureItem, CaptureResult
from metering.models import CaptureBatch, UsageEvent
from metering.rules.instants import instant_text
from metering.rules.reading import Delivery, NotABatchError
from metering.store import postgres

SENDERS = frozenset({Role.ENGINEERING})


class SendingRule(RoleRule):
    """Events may be sent with a key for that alone, or with one for every change."""

    def _key_allows(self, request: Request, view: Any) -> bool:
        if request.method == "POST" and isinstance(request.auth, ApiKey):
            return not {Scope.EVENTS_WRITE, Scope.WRITE}.isdisjoint(request.auth.scopes)
        return super()._key_allows(request, view)


class EventsView(RuledView, GenericAPIView[UsageEvent]):
    """Accepted events, and the door that they come in by."""

    roles_by_method = {"GET": READERS, "POST": SENDERS}
    permission_classes = (SendingRule,)
    renderer_classes = (ExactJSONRenderer,)
    serializer_class = EventSerializer
    queryset = UsageEvent.objects.none()

    @extend_schema(parameters=[EventFilterSerializer], responses={200: EventSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        """List accepted events, the last captured first."""
        wanted = EventFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        page = self.paginate_queryset(lookup.find_events(**wanted.validated_data))
        return self.get_paginated_response([_show_event(event) for event in page or ()])

    @extend_schema(request=EVENT_BODIES, responses={200: CaptureAnswerSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> HttpResponse:
        """Capture events: what is answered here is committed.

        One bad event never blocks the rest; a duplicate is a success. Because `source` and `id` identify an event for
        ever, a delivery may be repeated at will and needs no Idempotency-Key.
        """
        result = ingest.capture_events(
            _read(request), channel=CaptureBatch.Channel.HTTP, origin=_origin(request), at=postgres.read_clock()
        )
        return HttpResponse(_write_answer(result), content_type="application/json")


class EventView(RuledView, APIView):
    """One accepted event by its identity."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: EventSerializer, **READ_REFUSALS})
    def get(self, request: Request, identity: str) -> Response:
        """Find the event of `source/id`; percent-encode what they hold, slashes included.

        Where servers on the way decode slashes and two events could be meant, ask `GET events?source=&id=`.
        """
        return Response(_show_event(lookup.find_event(identity)))


def _read(request: Request) -> list[Delivery]:
    try:
        return capture.read_delivery(
            _body_of(request),
            content_type=request.headers.get("Content-Type", ""),
            encoding=request.headers.get("Content-Encoding", ""),
        )
    except UnreadablePostError as error:
        raise NotABatchError("The connection ended before the body did.") from error


def _body_of(request: Request) -> Readable:
    """Django reads only what Content-Length announces; of a chunked body the web server knows the end."""
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if is_chunked and request.META.get("wsgi.input_terminated"):
        stream: Readable = request.META["wsgi.input"]
        return stream
    return request._request  # noqa: SLF001 - DRF offers the parsed body only


def _origin(request: Request) -> str:
    return f"key:{request.auth.public_id}" if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"


def _write_answer(result: CaptureResult) -> bytes:
    counts = {name: getattr(result, name) for name in ("received", "accepted", "duplicates", "quarantined")}
    return orjson.dumps(counts | {"items": [_item(item) for item in result.items]})


def _item(item: CaptureItem) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": item.index, "id": item.id, "status": item.status}
    if item.reasons:
        shown["reasons"] = [found.as_json() for found in item.reasons]
    return shown


def _show_event(event: UsageEvent) -> dict[str, Any]:
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
        "data": event.data,
        "extras": event.extras or {},
    }
