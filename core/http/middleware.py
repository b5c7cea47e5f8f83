"""Refuses addresses that no view can serve before any view sees them, and says what cannot be asked now."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

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
