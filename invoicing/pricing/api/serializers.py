"""Bodies and answers: translated here, decided in the stages."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import validators
from accounts.models import Customer
from core import money
from core.http.fields import InstantField, JsonField
from invoicing.pricing import plans
from invoicing.pricing.models import (
    Charge,
    KeptPrices,
    Plan,
    PlanVersion,
    PriceVersion,
    Subscription,
    SubscriptionPhase,
    SubscriptionQuantity,
    TaxRate,
)
from invoicing.pricing.rules import fields
from metering.models import Meter

PERCENT_DECIMALS_MAX = 4
PERCENT_MAX = 100


@extend_schema_field(OpenApiTypes.STR)
class PercentField(serializers.Field[Decimal, Any, str, Any]):
    """A percentage from 0 to 100 with at most 4 decimals, as a decimal string."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            percent = fields.read_number(data, decimals_max=PERCENT_DECIMALS_MAX)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.", code="number") from error
        if not 0 <= percent <= PERCENT_MAX:
            raise serializers.ValidationError("Must lie between 0 and 100.", code="out_of_range")
        return percent

    def to_representation(self, value: Decimal) -> str:
        return money.plain(value)


@extend_schema_field(OpenApiTypes.STR)
class QuantityField(serializers.Field[Decimal, Any, str, Any]):
    """A quantity from 0 up with at most 18 decimals, as a decimal string."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return fields.read_number(data, decimals_max=fields.QUANTITY_DECIMALS_MAX)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.", code="number") from error

    def to_representation(self, value: Decimal) -> str:
        return money.plain(value)


class ChargeSerializer(serializers.ModelSerializer[Charge]):
    """A charge of a plan; without a meter it is a flat fee."""

    meter = serializers.SlugRelatedField(
        slug_field="code", queryset=Meter.objects.all(), allow_null=True, required=False, default=None
    )

    class Meta:
        model = Charge
        fields: ClassVar = ["id", "code", "name", "meter"]


DECIDED: tuple[str, ...] = ("status", "created_by", "created_at", "decided_by", "decided_at")


class PlanVersionSerializer(serializers.ModelSerializer[PlanVersion]):
    """The terms of a plan from an instant on, who proposed them and who decided."""

    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = PlanVersion
        fields: ClassVar = ["version", *PlanVersion.TERMS, "effective_at", *DECIDED]


class NewTermsSerializer(serializers.Serializer[PlanVersion]):
    """The terms that a plan version has; each has a default."""

    proration_unit = serializers.ChoiceField(
        choices=PlanVersion.ProrationUnit.choices, required=False, help_text="Default: by second."
    )
    proration_zone = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=60,
        validators=[validators.check_time_zone],
        help_text="Whose days are counted; default: those of the subscription.",
    )
    rounding_level = serializers.ChoiceField(
        choices=PlanVersion.RoundingLevel.choices,
        required=False,
        help_text="What is rounded once: each line (default), or the sum of an invoice's lines, which add up to it.",
    )


class NewPlanVersionSerializer(NewTermsSerializer):
    """The next terms of a plan, and from when."""

    effective_at = InstantField()


class PlanSerializer(serializers.ModelSerializer[Plan]):
    """A plan with its versions; its terms are those of the version in force, else of the newest proposed."""

    charges = ChargeSerializer(many=True)
    proration_unit = serializers.SerializerMethodField()
    rounding_level = serializers.SerializerMethodField()
    versions = PlanVersionSerializer(many=True)

    class Meta:
        model = Plan
        fields: ClassVar = [
            "id",
            "code",
            "name",
            "description",
            "currency",
            "interval",
            "interval_count",
            "proration_unit",
            "rounding_level",
            "charges",
            "versions",
            "created_at",
        ]

    def get_proration_unit(self, plan: Plan) -> str:
        return plans.terms_of(plan.versions.all(), at=timezone.now()).proration_unit

    def get_rounding_level(self, plan: Plan) -> str:
        return plans.terms_of(plan.versions.all(), at=timezone.now()).rounding_level


class NewPlanSerializer(NewTermsSerializer, serializers.ModelSerializer[Plan]):
    """A plan and its first version."""

    interval_count = serializers.IntegerField(min_value=1, max_value=366, required=False)

    class Meta:
        model = Plan
        fields: ClassVar = [
            "code",
            "name",
            "description",
            "currency",
            "interval",
            "interval_count",
            "proration_unit",
            "proration_zone",
            "rounding_level",
        ]


class PlanChangeSerializer(serializers.ModelSerializer[Plan]):
    """What may change about a plan."""

    class Meta:
        model = Plan
        fields: ClassVar = ["name", "description"]


class PriceVersionSerializer(serializers.ModelSerializer[PriceVersion]):
    """A price as it is kept."""

    plan = serializers.CharField(source="charge.plan.code")
    charge = serializers.CharField(source="charge.code")
    name = serializers.CharField(source="charge.name")
    meter = serializers.CharField(source="charge.meter.code", allow_null=True, default=None)
    params = JsonField()
    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = PriceVersion
        fields: ClassVar = [
            "id",
            "plan",
            "charge",
            "name",
            "meter",
            "version",
            "model",
            "params",
            "effective_at",
            *DECIDED,
        ]


class NewPriceSerializer(serializers.Serializer[PriceVersion]):
    """The next price of a charge, named by its code or by its meter."""

    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all())
    charge = serializers.CharField(required=False, validators=[validators.CODE], help_text="Made when it is new.")
    meter = serializers.SlugRelatedField(slug_field="code", queryset=Meter.objects.all(), required=False)
    name = serializers.CharField(required=False, max_length=120, help_text="Of a new charge; printed on invoices.")
    model = serializers.ChoiceField(choices=PriceVersion.ModelName.choices)
    params = JsonField()
    effective_at = InstantField()


class TaxRateSerializer(serializers.ModelSerializer[TaxRate]):
    """A tax rate from an instant on."""

    percent = PercentField()
    effective_at = InstantField()

    class Meta:
        model = TaxRate
        fields: ClassVar = ["id", "code", "name", "category", "percent", "effective_at", "note", "created_at"]
        read_only_fields: ClassVar = ["id", "created_at"]


class PhaseSerializer(serializers.ModelSerializer[SubscriptionPhase]):
    """Which plan, and when."""

    plan = serializers.CharField(source="plan.code")

    class Meta:
        model = SubscriptionPhase
        fields: ClassVar = ["plan", "starts_at", "ends_at"]


class QuantitySerializer(serializers.ModelSerializer[SubscriptionQuantity]):
    """How many of a charge without a meter, and from when."""

    charge = serializers.CharField(source="charge_code", validators=[validators.CODE])
    quantity = QuantityField()
    effective_at = InstantField()

    class Meta:
        model = SubscriptionQuantity
        fields: ClassVar = ["charge", "quantity", "effective_at"]


class KeptPricesSerializer(serializers.ModelSerializer[KeptPrices]):
    """The plan's prices as they were at `since`, kept until `until`."""

    plan = serializers.CharField(source="plan.code", read_only=True)
    since = InstantField(source="starts_at")
    until = InstantField(source="ends_at")

    class Meta:
        model = KeptPrices
        fields: ClassVar = ["id", "plan", "since", "until", "released_because"]
        read_only_fields: ClassVar = ["id", "released_because"]


class ReleasePricesSerializer(serializers.Serializer[KeptPrices]):
    """When kept prices end, earlier than agreed, and why."""

    until = InstantField(required=False, help_text="Default: now.")
    reason = serializers.CharField(min_length=5, max_length=300)


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """A subscription with its plans in order of time."""

    customer = serializers.CharField(source="customer.code")
    phases = PhaseSerializer(many=True)
    quantities = QuantitySerializer(many=True)
    kept_prices = KeptPricesSerializer(many=True)

    class Meta:
        model = Subscription
        fields: ClassVar = [
            "id",
            "customer",
            "anchor_date",
            "time_zone",
            "starts_at",
            "ends_at",
            "phases",
            "quantities",
            "kept_prices",
            "created_at",
        ]


class NewSubscriptionSerializer(serializers.Serializer[Subscription]):
    """Puts a customer on a plan."""

    customer = serializers.SlugRelatedField(slug_field="code", queryset=Customer.objects.all())
    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all())
    starts_at = InstantField()
    anchor_date = serializers.DateField(required=False, help_text="Default: the local day on which it starts.")


class PlanMoveSerializer(serializers.Serializer[Subscription]):
    """The next plan, and from when."""

    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all())
    effective_at = InstantField()


class EndSerializer(serializers.Serializer[Subscription]):
    """When a subscription ends."""

    ends_at = InstantField()
