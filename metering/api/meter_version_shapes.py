"""Bodies and answers of the versions of meters."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from rest_framework import serializers

from core.http.fields import InstantField, JsonField
from core.http.serializers import KnownFieldsOnly
from metering.models import Aggregation, MeterVersion
from metering.rules.measures import CONTENT, MeterContent


class MeterVersionSerializer(serializers.ModelSerializer[MeterVersion]):
    """What a meter measures from `effective_at` on, once it is approved."""

    filters = JsonField()
    proposed_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = MeterVersion
        fields: ClassVar = [
            "version",
            "status",
            "effective_at",
            *CONTENT,
            "reason",
            "proposed_by",
            "proposed_at",
            "decided_by",
            "decided_at",
            "decision_reason",
        ]


class NewMeterVersionSerializer(KnownFieldsOnly):
    """The whole content of the next version; what is left out takes its usual value, not the former one."""

    effective_at = InstantField(help_text="From when on; nothing may be counted and billed beyond it.")
    reason = serializers.CharField(max_length=1000, help_text="Why it changes.")
    definition = serializers.CharField(help_text="Words a customer would understand.")
    exclusions = serializers.CharField(default="", allow_blank=True)
    aggregation = serializers.ChoiceField(choices=Aggregation.choices)
    value_property = serializers.CharField(default="", allow_blank=True, max_length=120)
    operation_property = serializers.CharField(default="", allow_blank=True, max_length=120)
    is_recurring = serializers.BooleanField(default=False)
    filters = JsonField(default=list)
    group_by = serializers.ListField(child=serializers.CharField(max_length=120), default=list)
    negative_total = serializers.ChoiceField(choices=MeterVersion.NegativeTotal.choices, default="negative")
    tie_break = serializers.ChoiceField(choices=MeterVersion.TieBreak.choices, default="last_received")
    decimals = serializers.IntegerField(default=18, min_value=0, max_value=18)
    rounding = serializers.ChoiceField(choices=MeterVersion.Rounding.choices, default="half_up")

    def content(self) -> MeterContent:
        return MeterContent(**{name: self.validated_data[name] for name in CONTENT})


class RejectionSerializer(KnownFieldsOnly):
    """Why not."""

    reason = serializers.CharField(max_length=1000)


class HandOverSerializer(KnownFieldsOnly):
    """Who answers for the meter from now on, and why."""

    to = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.filter(is_active=True))
    reason = serializers.CharField(max_length=1000)


class ChangeSerializer(serializers.Serializer[Any]):
    """A field of the content, before and after."""

    name = serializers.CharField()
    before = JsonField()
    after = JsonField()


class CustomerEffectSerializer(serializers.Serializer[Any]):
    """The last closed window of a customer, measured both ways over the same events."""

    customer = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    old_quantity = serializers.CharField(help_text="A decimal.")
    new_quantity = serializers.CharField(help_text="A decimal.")
    old_events = serializers.IntegerField()
    new_events = serializers.IntegerField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """What changes in words and in quantities; the customers whose quantity changes most come first."""

    version = serializers.IntegerField()
    replaces = serializers.IntegerField()
    changes = ChangeSerializer(many=True)
    customers_changed = serializers.IntegerField()
    customers = CustomerEffectSerializer(many=True)
