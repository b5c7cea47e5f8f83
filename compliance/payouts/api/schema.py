"""The refusals that every call documents."""

from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

_ERROR = inline_serializer(
    "ProblemError",
    {"pointer": serializers.CharField(), "code": serializers.CharField(), "detail": serializers.CharField()},
)
_PROBLEM = inline_serializer(
    "Problem",
    {
        "type": serializers.CharField(),
        "title": serializers.CharField(),
        "status": serializers.IntegerField(),
        "code": serializers.CharField(),
        "detail": serializers.CharField(),
        "errors": serializers.ListField(child=_ERROR, required=False),
    },
)


def _refusal(description: str) -> OpenApiResponse:
    return OpenApiResponse(_PROBLEM, description=description)


READ_REFUSALS = {
    (401, "application/problem+json"): _refusal("No usable API key or session."),
    (403, "application/problem+json"): _refusal("The role or the key's scopes do not allow it."),
    (404, "application/problem+json"): _refusal("No such object, or none that the caller may see."),
    (422, "application/problem+json"): _refusal("A parameter cannot be used."),
}
WRITE_REFUSALS = {
    **READ_REFUSALS,
    (400, "application/problem+json"): _refusal("The body is not JSON, or the Idempotency-Key cannot be used."),
    (409, "application/problem+json"): _refusal("It contradicts what is stored; the code says how."),
    (413, "application/problem+json"): _refusal("The body is too large."),
    (415, "application/problem+json"): _refusal("The body is not application/json."),
    (422, "application/problem+json"): _refusal("A field cannot be used; `errors` names it."),
}
