"""The refusals that every call of the API can answer with, for its description."""

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class FieldProblem(serializers.Serializer[dict[str, str]]):
    pointer = serializers.CharField(help_text="JSON pointer (RFC 6901) to the field.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[dict[str, object]]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; programs may rely on it.")
    detail = serializers.CharField(help_text="One sentence that says what to do.")
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]  # the name that the format has for it


MEANINGS = {
    400: "The body, the Idempotency-Key or the cursor cannot be read.",
    401: "No API key, or one that is not valid.",
    403: "The role or the scopes do not allow this.",
    404: "No such object.",
    405: "No such method here.",
    406: "Only JSON is given.",
    409: "This contradicts what is stored.",
    413: "The body is too large.",
    415: "Only JSON is taken.",
    422: "Some values cannot be used; `errors` points at them.",
    503: "The database is busy; ask again.",
}
READING = (400, 401, 403, 404, 405, 406, 422, 503)
WRITING = (*READING, 409, 413, 415)


def refusals(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """`responses={200: …, **refusals(*READING)}` in `@extend_schema`."""
    return {
        (status, "application/problem+json"): OpenApiResponse(Problem, description=MEANINGS[status])
        for status in statuses
    }
