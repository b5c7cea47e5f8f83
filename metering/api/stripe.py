"""Stripe's addresses for meter events, answering as Stripe does, so that its SDK works with another base address."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from accounts import keys
from accounts.authentication import BasicKeyAuthentication, EventSessionAuthentication
from accounts.models import ApiKey
from core.http import problems
from metering import lookup
from metering.api import sending
from metering.api.rendering import exact_response
from metering.ingest import CaptureResult
from metering.rules import reading
from metering.rules.adapters import stripe
from metering.rules.adapters.stripe import Params, StripeRequestError
from metering.rules.instants import instant_text
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason
from metering.store import postgres

TYPES = {409: "idempotency_error", 429: "rate_limit_error"}
INVALID, SERVER = "invalid_request_error", "api_error"
SERVER_ERROR = 500


class StripeView(sending.SendingView):
    """An address of Stripe's: keys in its way, errors in its shape."""

    authentication_classes: Sequence[Any] = (BasicKeyAuthentication,)
    schema = None  # described by its own documentation

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Any]:
        return stripe_error


def stripe_error(error: Exception, context: dict[str, Any]) -> Any:
    """Stripe's error object; None (a 500) only for what nobody foresaw."""
    answer = problems.problem_response(error, context)
    if answer is None:
        return None
    status = answer.status_code
    kind = SERVER if status >= SERVER_ERROR else TYPES.get(status, INVALID)
    found = {"type": kind, "code": answer.data["code"], "message": answer.data["detail"]}
    if isinstance(error, StripeRequestError) and error.param:
        found["param"] = error.param
    answer.data = {"error": found}
    answer.content_type = "application/json"
    return answer


class MeterEventsView(StripeView):
    """`POST /v1/billing/meter_events`."""

    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        params = _read_form(request)
        stripe.check_params(params, at=at)
        event = _capture(request, stripe.event_of(params, spare_id=_spare_id(request), at=at))
        shown = {
            "object": "billing.meter_event",
            "created": int(at.timestamp()),
            "event_name": params["event_name"],
            "identifier": event["id"],
            "livemode": True,
            "payload": params["payload"],
            "timestamp": int((stripe.read_timestamp(params.get("timestamp")) or at).timestamp()),
        }
        return exact_response(shown)


class MeterEventsV2View(StripeView):
    """`POST /v2/billing/meter_events`."""

    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        params = _read_json(request)
        stripe.check_params(params, at=at)
        event = _capture(request, stripe.event_of(params, spare_id=_spare_id(request), at=at))
        shown = {
            "object": "v2.billing.meter_event",
            "created": instant_text(at),
            "event_name": params["event_name"],
            "identifier": event["id"],
            "livemode": True,
            "payload": params["payload"],
            "timestamp": instant_text(stripe.read_timestamp(params.get("timestamp")) or at),
        }
        return exact_response(shown)


class MeterEventSessionView(StripeView):
    """`POST /v2/billing/meter_event_session`: a token for the stream."""

    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        if not isinstance(request.auth, ApiKey):
            raise StripeRequestError("Open a session with an API key.", code="authentication_required", http_status=401)
        token, until = keys.open_session(request.auth, at=at)
        shown = {
            "object": "v2.billing.meter_event_session",
            "id": f"mes_{uuid.uuid4().hex}",
            "authentication_token": token,
            "created": instant_text(at),
            "expires_at": instant_text(until),
            "livemode": True,
        }
        return exact_response(shown)


class MeterEventStreamView(StripeView):
    """`POST /v2/billing/meter_event_stream`: up to 100 events; what cannot be billed waits in quarantine."""

    authentication_classes: Sequence[Any] = (EventSessionAuthentication, BasicKeyAuthentication)

    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        sent = _read_json(request).get("events")
        if not isinstance(sent, list) or not 0 < len(sent) <= stripe.EVENTS_MAX:
            raise StripeRequestError(
                f"events holds 1 to {stripe.EVENTS_MAX} meter events.", code="parameter_invalid", param="events"
            )
        if not all(isinstance(one, dict) for one in sent):
            raise StripeRequestError("Every event is an object.", code="parameter_invalid", param="events")
        spare = _spare_id(request)
        deliveries: list[Delivery] = [
            stripe.event_of(one, spare_id=f"{spare}/{index}", at=at) for index, one in enumerate(sent)
        ]
        sending.capture_sent(request, deliveries)
        return exact_response({})


class MeterEventAdjustmentsView(StripeView):
    """`POST /v1/billing/meter_event_adjustments`: takes an event back, as a correction."""

    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        params = _read_form(request)
        identifier = stripe.read_cancelled(params)
        target = lookup.find_identity(source=stripe.SYSTEM, event_id=identifier)
        if target is None or target["type"] != params["event_name"]:
            raise StripeRequestError(
                f"No meter event with identifier {identifier} was accepted for this event name.",
                code="resource_missing",
                param="cancel[identifier]",
            )
        _capture(request, stripe.cancellation_of(target, at=at))
        shown = {
            "object": "billing.meter_event_adjustment",
            "cancel": {"identifier": identifier},
            "event_name": params["event_name"],
            "livemode": True,
            "status": "complete",
            "type": "cancel",
        }
        return exact_response(shown)


def _read_form(request: Request) -> Params:
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in ("", stripe.FORM):
        raise StripeRequestError(f"Send the body as {stripe.FORM}, not as {media_type[:100]}.", code="form_invalid")
    return stripe.read_form(sending.read_body(request))


def _read_json(request: Request) -> Params:
    bodies = reading.read_document(sending.read_body(request).strip() or b"{}")
    if len(bodies) != 1 or isinstance(bodies[0], Unreadable):
        raise StripeRequestError("The body is not one plain JSON object.", code="parameter_invalid")
    return bodies[0]


def _spare_id(request: Request) -> str:
    """Stripe's SDK sends the same Idempotency-Key with a retry, which makes the retry the same event."""
    given = request.headers.get("Idempotency-Key", "").strip()
    return stripe.identifier_of_call(given) if given else str(uuid.uuid4())


def _capture(request: Request, event: dict[str, Any]) -> Mapping[str, Any]:
    """Capture one event; refuse, in Stripe's way, one that was held back."""
    result: CaptureResult = sending.capture_sent(request, [event])
    if result.quarantined:
        raise _refusal(result.items[0].reasons[0])
    return event


def _refusal(found: Reason) -> StripeRequestError:
    first, _, rest = found.pointer.strip("/").partition("/")
    param = f"payload[{rest}]" if first == "data" and rest else stripe.PARAMS.get(first, "")
    if found.code == "conflict":
        return StripeRequestError(
            f"{stripe.in_its_words(found)} This one was kept for review.", code="duplicate_meter_event", param=param
        )
    message = (
        f"{stripe.in_its_words(found)} The event was kept for review: put this right, then release it or send it again."
    )
    return StripeRequestError(message, code=found.code, param=param)
