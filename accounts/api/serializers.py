"""Customers as JSON."""

from typing import ClassVar

from rest_framework import serializers

from accounts.models import Customer
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
