"""The short way for what senders do all day: `POST events` with an API key, without what only people need.

Sessions, messages, the negotiation of a form and DRF's requests take longer than a small delivery takes itself. Who is
not let in and whatever is not asked in the usual way goes the long way, which also says no in its own words.
"""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from accounts import authentication, roles
from accounts.models import ApiKey
from core.http import problems
from metering.api import events, sending

ADDRESS = "/api/v1/events"
ANY_FORM = frozenset({"", "*/*", "application/json"})  # what asks for the one form that the answer has


class ShortWay:
    """Middleware: stands before what it leaves out, and after what belongs to every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_usual = request.method == "POST" and request.path_info == ADDRESS
        key = _find_sender(request) if is_usual else None
        if key is None:
            return self.get_response(request)
        answer = _answer(request, key)
        answer["Content-Length"] = str(len(answer.content))
        return answer


def _find_sender(request: HttpRequest) -> ApiKey | None:
    """The key of a request that may send events and asks for nothing else."""
    meta = request.META
    if meta.get("QUERY_STRING") or meta.get("HTTP_ACCEPT", "") not in ANY_FORM:
        return None
    scheme, _, text = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        key = authentication.live_key(text.strip())
    except (OperationalError, InterfaceError):  # the long way meets it as well, and says so
        return None
    is_allowed = key is not None and roles.has_role(key.user, sending.SENDERS) and sending.is_key_for_sending(key)
    return key if is_allowed else None


def _answer(request: HttpRequest, key: ApiKey) -> HttpResponse:
    try:
        return events.answer_delivery(request, origin=sending.key_origin(key))
    except Exception as error:
        answer = problems.problem_of(error)
        if answer is None:
            raise
        return answer
