"""Customers as JSON."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts import validators
from accounts.models import Customer, ExternalId
from core.http.serializers import KnownFieldsOnly


class CustomerSerializer(KnownFieldsOnly, serializers.ModelSerializer[Customer]):
    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = [
            "code",
            "legal_name",
            "address",
            "country",
            "tax_id",
            "currency",
            "time_zone",
            "payment_terms_days",
            "email",
            "tax_rate_code",
            "created_at",
        ]


class CustomerChangeSerializer(CustomerSerializer):
    """The same, for a change: the code is for ever."""

    class Meta(CustomerSerializer.Meta):
        read_only_fields: ClassVar[list[str]] = ["code"]


class ExternalIdSerializer(serializers.ModelSerializer[ExternalId]):
    """What another system calls the customer."""

    customer = serializers.SlugRelatedField[Customer](slug_field="code", read_only=True)

    class Meta:
        model = ExternalId
        fields: ClassVar[list[str]] = ["customer", "system", "external_id", "created_at"]


class ExternalIdMoveSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """Whom the id names from now on."""

    customer = serializers.CharField(max_length=60, help_text="The code of the other customer.")


class NewExternalIdSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    """A system, such as stripe, and the customer's id there."""

    system = serializers.CharField(max_length=60, validators=[validators.CODE])
    external_id = serializers.CharField(max_length=200, validators=[validators.EXTERNAL_ID])
