"""Every API error as application/problem+json (RFC 9457), with a stable code."""

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, IntegrityError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core import canonical
from core.errors import DomainError

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"

TITLES = {
    400: "Malformed request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    503: "Not available now",
}


def problem(
    *, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None, title: str | None = None
) -> dict[str, Any]:
    """The problem document; `errors` are `{pointer, code, detail}`."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title or TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return document


def problem_http_response(*, status: int, code: str, detail: str) -> HttpResponse:
    """The same for plain Django views."""
    body = canonical.canonical_bytes(problem(status=status, code=code, detail=detail))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF exception handler; None (a 500) only for what nobody foresaw."""
    document = _document_for(error)
    if document is None:
        return None
    headers = {}
    if isinstance(error, exceptions.APIException) and getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if isinstance(error, exceptions.Throttled) and error.wait:
        headers["Retry-After"] = str(int(error.wait) + 1)
    return Response(document, status=document["status"], headers=headers, content_type=MEDIA_TYPE)


def _document_for(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, DomainError):
        return problem(status=error.http_status, code=error.code, detail=error.message, errors=error.problems())
    if isinstance(error, exceptions.ValidationError):
        errors = list(_field_errors(error.get_full_details(), ""))
        return problem(status=422, code="invalid", detail="Some fields cannot be used; see errors.", errors=errors)
    if isinstance(error, exceptions.APIException):
        code = error.get_codes() if isinstance(error.get_codes(), str) else "refused"
        return problem(status=error.status_code, code=str(code), detail=str(error.detail))
    if isinstance(error, Http404):
        return problem(status=404, code="not_found", detail="There is no such object, or you may not see it.")
    if isinstance(error, PermissionDenied):
        return problem(status=403, code="not_allowed", detail="Your role does not allow this.")
    if isinstance(error, RequestDataTooBig):
        return problem(status=413, code="too_large", detail="The body is larger than this call accepts.")
    if isinstance(error, IntegrityError):
        log.warning("refused_by_constraint", error=str(error))
        return problem(status=409, code="conflict", detail="This contradicts what is stored already.")
    if isinstance(error, DataError):
        log.warning("refused_by_database", error=str(error))
        return problem(status=422, code="invalid", detail="A value is out of the range that can be stored.")
    return None


def _field_errors(details: Any, pointer: str) -> "list[dict[str, str]]":
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        return [{"pointer": pointer or "/", "code": str(details["code"]), "detail": str(details["message"])}]
    if isinstance(details, dict):
        found = []
        for name, inner in details.items():
            found += _field_errors(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
        return found
    if isinstance(details, list):
        return [error for inner in details for error in _field_errors(inner, pointer)]
    return []
