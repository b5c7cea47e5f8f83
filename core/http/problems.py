"""Every API error as application/problem+json (RFC 9457), with a stable code."""

from collections.abc import Callable
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core import canonical
from core.errors import DomainError

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 5
NOT_AVAILABLE = 503
WHOLE_OBJECT = ("non_field_errors", "__all__")

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
    500: "Internal error",
    503: "Not available now",
}


def problem(*, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The problem document; `errors` are `{pointer, code, detail}`."""
    title = TITLES.get(status, "Refused")
    document: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    if errors:
        document["errors"] = errors
    return document


def problem_http_response(*, status: int, code: str, detail: str) -> HttpResponse:
    """The same for plain Django views."""
    body = canonical.canonical_bytes(problem(status=status, code=code, detail=detail))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_response(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF exception handler; None (a 500) only for what nobody foresaw."""
    document = _describe(error)
    if document is None:
        return None
    return Response(document, document["status"], headers=_headers(error), content_type=MEDIA_TYPE)


def problem_of(error: Exception) -> HttpResponse | None:
    """The same for plain Django views."""
    document = _describe(error)
    if document is None:
        return None
    body = orjson.dumps(document)
    return HttpResponse(body, status=document["status"], headers=_headers(error), content_type=MEDIA_TYPE)


def _describe(error: Exception) -> dict[str, Any] | None:
    describers = (describe for kind, describe in _DESCRIBERS.items() if isinstance(error, kind))
    describe = next(describers, None)
    return None if describe is None else describe(error)


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, OperationalError) or getattr(error, "http_status", None) == NOT_AVAILABLE:
        return {"Retry-After": str(BUSY_SECONDS)}
    auth_header = getattr(error, "auth_header", None)
    return {"WWW-Authenticate": auth_header} if auth_header else {}


def _describe_domain_error(error: DomainError) -> dict[str, Any]:
    return problem(status=error.http_status, code=error.code, detail=error.message, errors=error.problems())


def _describe_validation_error(error: exceptions.ValidationError) -> dict[str, Any]:
    errors = _field_errors(error.get_full_details(), "")
    return problem(status=422, code="invalid", detail="Some fields cannot be used; see errors.", errors=errors)


def _describe_model_error(error: ValidationError) -> dict[str, Any]:
    fields = error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    errors = [
        {"pointer": _step(name) or "/", "code": str(inner.code or "invalid"), "detail": " ".join(inner.messages)}
        for name, inners in fields.items()
        for inner in inners
    ]
    return problem(status=422, code="invalid", detail="Some fields cannot be used; see errors.", errors=errors)


def _describe_api_error(error: exceptions.APIException) -> dict[str, Any]:
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "refused"
    return problem(status=error.status_code, code=code, detail=str(error.detail))


def _describe_constraint(error: IntegrityError) -> dict[str, Any]:
    log.warning("refused_by_constraint", error=str(error))
    return problem(status=409, code="conflict", detail="This contradicts what is stored already.")


def _describe_data_error(error: DataError) -> dict[str, Any]:
    log.warning("refused_by_database", error=str(error))
    return problem(status=422, code="invalid", detail="A value is out of the range that can be stored.")


def _describe_operational_error(error: OperationalError) -> dict[str, Any]:
    log.error("database_not_available", error=str(error))
    return problem(status=503, code="busy", detail="The database is busy or away; ask again in a moment.")


def _fixed(*, status: int, code: str, detail: str) -> Callable[[Exception], dict[str, Any]]:
    return lambda _: problem(status=status, code=code, detail=detail)


_DESCRIBERS: dict[type[Exception], Callable[[Any], dict[str, Any]]] = {
    DomainError: _describe_domain_error,
    exceptions.ValidationError: _describe_validation_error,
    ValidationError: _describe_model_error,
    exceptions.APIException: _describe_api_error,
    Http404: _fixed(status=404, code="not_found", detail="There is no such object, or you may not see it."),
    PermissionDenied: _fixed(status=403, code="not_allowed", detail="Your role does not allow this."),
    RequestDataTooBig: _fixed(status=413, code="too_large", detail="The body is larger than this call accepts."),
    IntegrityError: _describe_constraint,
    DataError: _describe_data_error,
    OperationalError: _describe_operational_error,
}


def _field_errors(details: Any, pointer: str) -> list[dict[str, str]]:
    if isinstance(details, list):
        return [error for step, inner in _steps_of_list(details) for error in _field_errors(inner, pointer + step)]
    if set(details) == {"message", "code"}:
        return [{"pointer": pointer or "/", "code": str(details["code"]), "detail": str(details["message"])}]
    return [error for name, inner in details.items() for error in _field_errors(inner, pointer + _step(name))]


def _steps_of_list(details: list[Any]) -> list[tuple[str, Any]]:
    """Several messages about one value, or one element each of a list that was sent."""
    if all(isinstance(inner, dict) and "message" in inner for inner in details):
        return [("", inner) for inner in details]
    return [(f"/{index}", inner) for index, inner in enumerate(details)]


def _step(name: Any) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return "" if name in WHOLE_OBJECT else "/" + str(name).replace("~", "~0").replace("/", "~1")
