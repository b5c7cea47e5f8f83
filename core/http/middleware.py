"""Refuses addresses that no view can serve before any view sees them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.http import fallbacks

NUL_ESCAPED = "%00"


class RefuseNul:
    """PostgreSQL stores no NUL character, so an address that holds one names nothing: 400 instead of a failed query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path_info or NUL_ESCAPED in query or "\x00" in query:
            return fallbacks.bad_request(request)
        return self.get_response(request)
