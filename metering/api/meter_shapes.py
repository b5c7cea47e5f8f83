"""Bodies and answers of `meters`: a meter with what it measures now, and its versions."""

from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from core.http.fields import JsonField
from core.http.serializers import KnownFieldsOnly
from metering import in_force
from metering.models import Aggregation, EventContract, Meter, MeterVersion
from metering.rules.measures import CONTENT

Version = MeterVersion


class MeterSerializer(serializers.ModelSerializer[Meter]):
    """A meter, with what it measures now; a change of that is a new version, which the owner approves."""

    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    contract = serializers.SlugRelatedField[Any](slug_field="event_type", queryset=EventContract.objects.all())
    version = serializers.IntegerField(source="now.version", read_only=True, help_text="The version in force.")
    definition = serializers.CharField(source="now.definition", help_text="Words a customer would understand.")
    exclusions = serializers.CharField(
        source="now.exclusions", default="", allow_blank=True, help_text="What is deliberately not counted."
    )
    aggregation = serializers.ChoiceField(source="now.aggregation", choices=Aggregation.choices)
    value_property = serializers.CharField(
        source="now.value_property",
        default="",
        allow_blank=True,
        max_length=120,
        help_text="Of `data`; none for count.",
    )
    operation_property = serializers.CharField(
        source="now.operation_property",
        default="",
        allow_blank=True,
        max_length=120,
        help_text="For unique counts: the property that says `add` or `remove`; empty: every event adds.",
    )
    is_recurring = serializers.BooleanField(
        source="now.is_recurring", default=False, help_text="What was reached before a window lasts into it."
    )
    filters = JsonField(
        source="now.filters",
        default=list,
        help_text=(
            'Conditions of which all must hold: {"property", "operator": "equals", "value"}, '
            '{"property", "operator": "in", "values"} or {"property", "operator": "range", "from", "below"}.'
        ),
    )
    group_by = serializers.ListField(
        source="now.group_by",
        child=serializers.CharField(max_length=120),
        default=list,
        help_text="Properties that usage may be split by.",
    )
    negative_total = serializers.ChoiceField(
        source="now.negative_total", choices=Version.NegativeTotal.choices, default="negative"
    )
    tie_break = serializers.ChoiceField(
        source="now.tie_break", choices=Version.TieBreak.choices, default="last_received"
    )
    decimals = serializers.IntegerField(
        source="now.decimals", default=18, min_value=0, max_value=18, help_text="Of quantities that a division makes."
    )
    rounding = serializers.ChoiceField(source="now.rounding", choices=Version.Rounding.choices, default="half_up")

    class Meta:
        model = Meter
        fields: ClassVar = ["code", "name", "unit", "owner", "contract", "version", *CONTENT, "created_at"]
        read_only_fields: ClassVar = ["created_at"]

    def content(self) -> dict[str, Any]:
        """What the body says about the measure."""
        given: dict[str, Any] = self.validated_data["now"]
        return given

    def subject(self) -> dict[str, Any]:
        """What it says about the meter itself."""
        return {name: value for name, value in self.validated_data.items() if name != "now"}


class MeterChangeSerializer(KnownFieldsOnly):
    """What may change about a meter in place; the rest by a version."""

    name = serializers.CharField(max_length=120)


def with_measures(meters: list[Meter], *, at: datetime) -> list[Any]:
    """Give the meters with the version of each that is in force, read at once for all of them."""
    known = in_force.versions_by_meter([meter.pk for meter in meters])
    shown: list[Any] = meters
    for meter in shown:
        meter.now = in_force.at_instant(known[meter.pk], at)
    return shown


def with_measure(meter: Meter, *, at: datetime) -> Any:
    return with_measures([meter], at=at)[0]
