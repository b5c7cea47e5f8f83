"""What serializers of the API share: a name that no field has is a mistake to report, not to ignore."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class KnownFieldsOnly(serializers.Serializer[Any]):
    """Mix in before the other bases; read-only fields may be sent back as they were read, and change nothing."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            refusal = serializers.ErrorDetail("There is no such field.", code="unknown_field")
            raise serializers.ValidationError({str(name): [refusal] for name in sorted(unknown, key=str)})
        return super().to_internal_value(data)
