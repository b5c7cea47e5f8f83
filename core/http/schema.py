"""The refusals that calls document in the OpenAPI page, as problem documents (RFC 9457)."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from core.http.problems import MEDIA_TYPE


class ProblemErrorSerializer(serializers.Serializer[object]):
    """One field at fault."""

    pointer = serializers.CharField(help_text="RFC 6901")
    code = serializers.CharField()
    detail = serializers.CharField()
    link = serializers.CharField(required=False, help_text="The page where it is mended, where the refusal names one.")


class ProblemSerializer(serializers.Serializer[object]):
    """Why a call was refused; `code` is stable."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `errors` is a property of every serializer, so the field of that name cannot be a class attribute.
        return {**super().get_fields(), "errors": ProblemErrorSerializer(many=True, required=False)}


class PageShape(serializers.Serializer[object]):
    """A page of a list, with the way to the pages beside it; whoever shows one adds its `results`."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class Status(tuple[int, str]):
    """Status and media type; written status first, for drf-spectacular takes the smallest text as the success."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self[0]} {self[1]}"


def _refusals(descriptions: dict[int, str]) -> dict[Any, OpenApiResponse]:
    return {
        Status((code, MEDIA_TYPE)): OpenApiResponse(ProblemSerializer, description=description)
        for code, description in descriptions.items()
    }


READ_REFUSALS = _refusals(
    {
        400: "The cursor is not one that the list gave out.",
        401: "No usable API key or session.",
        403: "The role or the key's scopes do not allow it.",
        404: "No such object, or none that the caller may see.",
        405: "The address does not take this method.",
        406: "Only JSON is given.",
        422: "A parameter cannot be used.",
        503: "The database is busy or away; Retry-After says when to ask again.",
    }
)
WRITE_REFUSALS = {
    **READ_REFUSALS,
    **_refusals(
        {
            400: "The body is not JSON, or the Idempotency-Key cannot be used or is missing where the call needs one.",
            409: "It contradicts what is stored; the code says how.",
            413: "The body is too large.",
            415: "The body is not application/json.",
            422: "A field cannot be used; `errors` names it. Or the Idempotency-Key was used for another request.",
        }
    ),
}
