"""What every address that takes events shares: who may send, where the body is read, and who sent it."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import ApiKey, Scope
from accounts.permissions import RoleRule, RuledView
from accounts.roles import Role
from metering import capture, gathering
from metering.capture import Readable
from metering.ingest import CaptureResult
from metering.models import CaptureBatch
from metering.rules.reading import Delivery, NotABatchError

SENDERS = frozenset({Role.ENGINEERING})


class SendingRule(RoleRule):
    """Events may be sent with a key for that alone, or with one for every change."""

    def _key_allows(self, request: Request, view: Any) -> bool:
        if request.method == "POST" and isinstance(request.auth, ApiKey):
            return is_key_for_sending(request.auth)
        return super()._key_allows(request, view)


def is_key_for_sending(key: ApiKey) -> bool:
    """Whether its scopes let a key send events; what its person may is asked apart."""
    return not {Scope.EVENTS_WRITE, Scope.WRITE}.isdisjoint(key.scopes)


class SendingView(RuledView, APIView):
    """An address that takes events in another system's form."""

    roles_by_method = {"POST": SENDERS}
    permission_classes: Sequence[Any] = (SendingRule,)


def read_deliveries(request: Request | HttpRequest) -> list[Delivery]:
    """The events of a request in CloudEvents' forms."""
    try:
        return capture.read_request(body_of(request), headers=request.headers)
    except UnreadablePostError as error:
        raise NotABatchError("The connection ended before the body did.") from error


def read_body(request: Request) -> bytes:
    """The body of a request in another form, bounded and inflated."""
    try:
        return capture.read_body(body_of(request), encoding=request.headers.get("Content-Encoding", ""))
    except UnreadablePostError as error:
        raise NotABatchError("The connection ended before the body did.") from error


def body_of(request: Request | HttpRequest) -> Readable:
    """Django reads only what Content-Length announces; of a chunked body the web server knows the end."""
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if is_chunked and request.META.get("wsgi.input_terminated"):
        stream: Readable = request.META["wsgi.input"]
        return stream
    return request._request if isinstance(request, Request) else request  # noqa: SLF001 - DRF offers the parsed body only


def capture_sent(request: Request, deliveries: Sequence[Delivery]) -> CaptureResult:
    """Capture what a request brought; it is committed when this returns."""
    return capture_from(origin_of(request), deliveries)


def origin_of(request: Request) -> str:
    """Who sent a request, as batches tell it."""
    return key_origin(request.auth) if isinstance(request.auth, ApiKey) else f"user:{request.user.pk}"


def key_origin(key: ApiKey) -> str:
    """The same of a sender with this key."""
    return f"key:{key.public_id}"


def capture_from(origin: str, deliveries: Sequence[Delivery]) -> CaptureResult:
    """Capture what this sender brought; it is committed when this returns."""
    return gathering.capture_gathered(deliveries, channel=CaptureBatch.Channel.HTTP, origin=origin)
