"""What is answered where no view is: problem+json where programs call, Django's pages elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from core.errors import DomainError
from core.http.problems import BUSY_SECONDS, NOT_AVAILABLE, problem_http_response

# Our own API, and the addresses where other systems' clients expect theirs: a page would tell these nothing.
PROGRAMS_CALL = ("/api/", "/v1/", "/v2/", "/openmeter/")


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(PROGRAMS_CALL)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_api(request):
        return problem_http_response(status=400, code="malformed", detail="The request cannot be read.")
    return defaults.bad_request(request, exception or ValueError())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return problem_http_response(status=403, code="not_allowed", detail="Your role does not allow this.")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return problem_http_response(status=404, code="not_found", detail="There is no such address.")
    return defaults.page_not_found(request, exception)


def not_available(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Something that a page needs does not answer; nothing was changed."""
    if _is_api(request):
        answer = problem_http_response(status=NOT_AVAILABLE, code=error.code, detail=error.message)
    else:
        answer = render(request, "503.html", {"reason": error.message}, status=NOT_AVAILABLE)
    answer["Retry-After"] = str(BUSY_SECONDS)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        detail = "This should not have happened; nothing was changed. The log of the server says more."
        return problem_http_response(status=500, code="internal", detail=detail)
    return defaults.server_error(request)
