"""Refuses addresses that no view can serve before any view sees them, and says what cannot be asked now."""

from collections.abc import Callable
from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.errors import DomainError
from core.http import fallbacks
from core.http.problems import NOT_AVAILABLE

NUL_ESCAPED = "%00"


class SayWhatIsNotAvailable:
    """A page that needs something which does not answer now says so, and when to ask again; the API says it itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError) and exception.http_status == NOT_AVAILABLE:
            return fallbacks.not_available(request, exception)
        return None


class RefuseNul:
    """PostgreSQL stores no NUL character, so an address that holds one names nothing: 400 instead of a failed query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path_info or NUL_ESCAPED in query or "\x00" in query:
            return fallbacks.bad_request(request)
        return self.get_response(request)


class KeptContentPolicy(CSPMiddleware):
    """django-csp writes its header anew for every answer; the usual one is written once and kept."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """An answer, or a page, that asks for anything of its own gets it as ever."""
        is_usual = getattr(request, "_csp_nonce", None) is None and HEADER not in response
        if not is_usual or any(name.startswith("_csp_") for name in vars(response)):
            return super().process_response(request, response)
        response[HEADER] = _usual_policy()
        return response


@cache
def _usual_policy() -> str:
    return str(build_policy())
