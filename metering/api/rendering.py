"""Answers that carry other people's JSON: numbers leave as the numbers that came in, never as texts or floats."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer

from metering.rules import exact_json


class ExactJSONRenderer(JSONRenderer):
    """`application/json` with exact numbers."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else exact_json.write_in_order(data)


def exact_response(body: Any, *, status: int = 200, content_type: str = "application/json") -> HttpResponse:
    """The same for answers in other systems' forms, which are not negotiated."""
    return HttpResponse(exact_json.write_in_order(body), status=status, content_type=content_type)
