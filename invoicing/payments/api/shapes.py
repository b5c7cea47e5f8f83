"""Bodies and answers of this door, as the OpenAPI document states them."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money
from core.http.fields import InstantField
from core.http.serializers import KnownFieldsOnly
from invoicing.payments.models import Payment
from invoicing.payments.models.events import OUTCOMES
from invoicing.payments.models.payments import STATUSES, STEPS
from invoicing.payments.record import BY_PEOPLE

REASON_LENGTH_MAX = 1000


@extend_schema_field(OpenApiTypes.DECIMAL)
class MoneyField(serializers.Field[Decimal, str, str, Any]):
    """Money as a plain decimal string, such as "12.50"."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return money.parse_decimal(data)
        except ValueError as error:
            raise serializers.ValidationError(
                'Write the amount as a decimal string, such as "12.50".', code="amount"
            ) from error


class NewPaymentBody(KnownFieldsOnly, serializers.Serializer[Any]):
    """Money for one issued invoice."""

    invoice = serializers.CharField(max_length=60, help_text="Its number.")
    amount = MoneyField()
    currency = serializers.CharField(max_length=3)
    method = serializers.ChoiceField(Payment.Method.choices)
    reference = serializers.CharField(max_length=200, help_text="As the statement names it; once per invoice.")
    fee = MoneyField(required=False, help_text="What was kept of the amount before it came in.")
    received_at = InstantField(required=False, allow_null=True, default=None, help_text="Left out: it is on its way.")


class StepBody(KnownFieldsOnly, serializers.Serializer[Any]):
    """What became of a payment."""

    step = serializers.ChoiceField([str(step) for step in BY_PEOPLE])
    amount = MoneyField(required=False, help_text="Left out: all of it.")
    fee = MoneyField(
        required=False, help_text="What was kept; below 0 what was given back with a dispute that was won."
    )
    happened_at = InstantField()
    reason = serializers.CharField(max_length=REASON_LENGTH_MAX)


class RefundBody(KnownFieldsOnly, serializers.Serializer[Any]):
    """Money that went back."""

    amount = MoneyField(required=False, help_text="Left out: all of it.")
    fee = MoneyField(required=False)
    happened_at = InstantField()
    reason = serializers.CharField(max_length=REASON_LENGTH_MAX)


class PaymentFilter(serializers.Serializer[Any]):
    """Query parameters of the list."""

    invoice = serializers.CharField(required=False, help_text="Number of the invoice.")
    customer = serializers.CharField(required=False, help_text="Code of the customer.")
    status = serializers.ChoiceField(STATUSES, required=False)


class EventFilter(serializers.Serializer[Any]):
    """Query parameters of the list."""

    outcome = serializers.ChoiceField(OUTCOMES, required=False)


class ObjectShape(serializers.Serializer[object]):
    """What else the gateway calls it."""

    kind = serializers.CharField()
    id = serializers.CharField()


class PaymentTransitionShape(serializers.Serializer[object]):
    """One step, for ever."""

    revision = serializers.IntegerField()
    step = serializers.ChoiceField(STEPS)
    from_status = serializers.CharField()
    to_status = serializers.ChoiceField(STATUSES)
    amount = serializers.CharField()
    fee = serializers.CharField()
    overpaid = serializers.CharField(allow_null=True, help_text="What of it was more than was due.")
    happened_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True)
    event = serializers.CharField(allow_null=True, help_text="The gateway's event, where that told it.")
    reason = serializers.CharField()
    journal_entry = serializers.CharField(allow_null=True)
    audit_reference = serializers.CharField()


class RefundRequestShape(serializers.Serializer[object]):
    """A refund that a second person confirms."""

    id = serializers.IntegerField()
    amount = serializers.CharField()
    fee = serializers.CharField()
    happened_at = serializers.DateTimeField()
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    decision = serializers.CharField(allow_null=True)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


class PaymentShape(serializers.Serializer[object]):
    """A payment with all that became of it; amounts have exactly the decimals of its currency."""

    id = serializers.IntegerField()
    invoice = serializers.CharField()
    customer = serializers.CharField()
    status = serializers.ChoiceField(STATUSES)
    currency = serializers.CharField()
    amount = serializers.CharField(help_text="What was to be paid by it.")
    received = serializers.CharField()
    refunded = serializers.CharField()
    contested = serializers.CharField(help_text="In an open dispute.")
    lost = serializers.CharField(help_text="In a dispute that was lost.")
    method = serializers.ChoiceField(Payment.Method.choices)
    reference = serializers.CharField()
    gateway = serializers.CharField(allow_null=True)
    gateway_id = serializers.CharField(allow_null=True)
    objects = ObjectShape(many=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    transitions = PaymentTransitionShape(many=True)
    refund_requests = RefundRequestShape(many=True)


class PaymentPageShape(serializers.Serializer[object]):
    """A page of payments."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = PaymentShape(many=True)


class GatewayEventShape(serializers.Serializer[object]):
    """What a gateway told, and what came of it."""

    id = serializers.IntegerField()
    gateway = serializers.CharField()
    event_id = serializers.CharField()
    kind = serializers.CharField()
    payment_ref = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    detail = serializers.CharField()
    created_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()


class GatewayEventPageShape(serializers.Serializer[object]):
    """A page of events."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = GatewayEventShape(many=True)
