"""Bodies and answers: translated here, decided in the stages."""

from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money
from core.http.fields import InstantField
from invoicing.effects import queries
from invoicing.effects.models import Effect, EffectRun, PlanMove
from invoicing.pricing.models import Plan, PlanVersion, PriceVersion


@extend_schema_field(OpenApiTypes.STR)
class PlainAmountField(serializers.Field[Decimal, Any, str, Any]):
    """An amount as a decimal string."""

    def to_representation(self, value: Decimal) -> str:
        return money.plain(value)


class SummarySerializer(serializers.Serializer[queries.RunSummary]):
    """How far a run is, and what it has found so far; amounts before tax."""

    total = serializers.IntegerField()
    done = serializers.IntegerField()
    dearer = serializers.IntegerField()
    cheaper = serializers.IntegerField()
    failed = serializers.IntegerField()
    old_amount = PlainAmountField()
    new_amount = PlainAmountField()


class RunSerializer(serializers.ModelSerializer[EffectRun]):
    """A question, and the answer as far as it is."""

    currency = serializers.CharField(source="plan.currency")
    summary = serializers.SerializerMethodField()

    class Meta:
        model = EffectRun
        fields: ClassVar = [
            "id",
            "price_version",
            "plan_version",
            "move",
            "as_of",
            "asked_at",
            "finished_at",
            "currency",
            "summary",
        ]

    def get_summary(self, run: EffectRun) -> dict[str, Any]:
        return dict(SummarySerializer(queries.summary_of(run)).data)


class AskSerializer(serializers.Serializer[EffectRun]):
    """What is asked about: a price version by id, or a version of a plan."""

    price_version = serializers.PrimaryKeyRelatedField(queryset=PriceVersion.objects.all(), required=False)
    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all(), required=False)
    version = serializers.IntegerField(required=False, min_value=1, help_text="Of the plan.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = attrs.keys() & {"price_version", "plan", "version"}
        if named not in ({"price_version"}, {"plan", "version"}):
            raise serializers.ValidationError("Give a price_version, or a plan with one of its versions.")
        if "plan" in attrs:
            found = PlanVersion.objects.filter(plan=attrs["plan"], version=attrs["version"]).first()
            if found is None:
                raise serializers.ValidationError({"version": "The plan has no such version."})
            return {"subject": found}
        return {"subject": attrs["price_version"]}


class EffectSerializer(serializers.ModelSerializer[Effect]):
    """One subscription's last closed period, as agreed and as proposed, or the problem that kept it from both."""

    customer = serializers.CharField(source="customer.code")
    old_amount = PlainAmountField(allow_null=True)
    new_amount = PlainAmountField(allow_null=True)

    class Meta:
        model = Effect
        fields: ClassVar = [
            "subscription",
            "customer",
            "period_start",
            "period_end",
            "currency",
            "old_amount",
            "new_amount",
            "problem",
        ]


class MoveSerializer(serializers.ModelSerializer[PlanMove]):
    """A move with its progress, and the run that tried it."""

    source = serializers.CharField(source="source.code")  # type: ignore[assignment]  # a name that serializers use
    target = serializers.CharField(source="target.code")
    created_by = serializers.CharField(source="created_by.username")
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    dry_run = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = PlanMove
        fields: ClassVar = [
            "id",
            "source",
            "target",
            "effective_at",
            "status",
            "created_by",
            "created_at",
            "decided_by",
            "decided_at",
            "finished_at",
            "dry_run",
            "progress",
        ]

    def get_dry_run(self, move: PlanMove) -> int | None:
        return move.effect_runs.order_by("-pk").values_list("pk", flat=True).first()

    def get_progress(self, move: PlanMove) -> dict[str, int]:
        found = queries.progress_of(move)
        return {"waiting": found.waiting, "moved": found.moved, "refused": found.refused}


class NewMoveSerializer(serializers.Serializer[PlanMove]):
    """Whose subscriptions move, where to, and when; the same plan ends the older prices that they keep."""

    # A serializer has an attribute `source` of its own, so the field cannot be declared as one.
    target = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all())
    effective_at = InstantField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "source": serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all()),
            **super().get_fields(),
        }
