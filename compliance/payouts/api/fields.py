"""Fields that read exactly what the API promises to take."""

import base64
import binascii
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money

ID_MAX = 2**63 - 1


@extend_schema_field(OpenApiTypes.DECIMAL)
class AmountField(serializers.Field[Decimal, str, str, Any]):
    """Money as a plain decimal string, such as "12.50"."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return money.parse_decimal(data)
        except ValueError as error:
            raise serializers.ValidationError(
                'Write the amount as a decimal string, such as "12.50".', code="amount"
            ) from error

    def to_representation(self, value: Decimal) -> str:
        return money.plain(value)


@extend_schema_field(OpenApiTypes.BYTE)
class Base64Field(serializers.Field[bytes, str, str, Any]):
    """The bytes of a file, in Base64."""

    def to_internal_value(self, data: Any) -> bytes:
        try:
            return base64.b64decode(data, validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise serializers.ValidationError("The content is not Base64.", code="base64") from error

    def to_representation(self, value: bytes) -> str:
        return base64.b64encode(value).decode()
