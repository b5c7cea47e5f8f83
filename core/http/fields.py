"""Serializer fields that take exactly what the API promises."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant; without its offset from UTC it is refused, for nobody can know which was meant."""

    def to_internal_value(self, value: Any) -> datetime:
        instant = super().to_internal_value(value)
        if isinstance(value, str) and (parsed := parse_datetime(value)) is not None and parsed.tzinfo is None:
            raise serializers.ValidationError("Say the offset from UTC, such as 2026-07-01T00:00:00Z.", code="naive")
        return instant


@extend_schema_field(OpenApiTypes.ANY)
class JsonField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON, as the strict parser read it: numbers exact, to be judged by a rule."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value
