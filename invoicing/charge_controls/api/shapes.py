"""Shapes of charge controls."""

from typing import Any

from rest_framework import serializers

from core import money
from core.http.fields import JsonField
from invoicing.charge_controls.models import ACCESS, AccessChange, ControlFiring, CreditLimit, CreditReview
from invoicing.charge_controls.queries import Access, CreditLine


class ControlPolicyShape(serializers.Serializer[object]):
    """The policy version that decided."""

    program = serializers.CharField()
    version = serializers.IntegerField()


class CreditExposureShape(serializers.Serializer[object]):
    """An exposure in one currency, and where usage is held; null where the policy draws no line."""

    currency = serializers.CharField()
    unbilled = serializers.CharField()
    drafted = serializers.CharField()
    unpaid = serializers.CharField()
    total = serializers.CharField()
    holds_at = serializers.CharField(allow_null=True)
    is_complete = serializers.BooleanField()
    as_of = serializers.DateTimeField()
    watermark = serializers.IntegerField()


class AccessShape(serializers.Serializer[object]):
    """Whether the customer may use more. `as_of` is that of the oldest figures; null before any were made."""

    customer = serializers.CharField()
    access = serializers.ChoiceField(choices=ACCESS)
    reason = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    firing = serializers.IntegerField(allow_null=True)
    policy = ControlPolicyShape(allow_null=True)
    exposures = CreditExposureShape(many=True)
    as_of = serializers.DateTimeField(allow_null=True)


class LiftShape(serializers.Serializer[Any]):
    """Why a person lets the customer go on."""

    reason = serializers.CharField(max_length=2000)


class AccessChangeShape(serializers.ModelSerializer[AccessChange]):
    """One move of access, with the exposures as they stood."""

    customer = serializers.CharField(source="customer.code")
    policy = ControlPolicyShape(allow_null=True)
    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    figures = JsonField()
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = AccessChange
        fields = [
            "id",
            "customer",
            "revision",
            "from_status",
            "to_status",
            "cause",
            "reason",
            "firing",
            "policy",
            "actor",
            "figures",
            "changed_at",
            "audit_reference",
        ]


class ControlFiringShape(serializers.ModelSerializer[ControlFiring]):
    """One line of credit that was reached, with the figures that decided."""

    customer = serializers.CharField(source="customer.code")
    policy = ControlPolicyShape()
    exposure = serializers.SerializerMethodField()
    line = serializers.SerializerMethodField()
    rule = JsonField()
    inputs = JsonField()

    class Meta:
        model = ControlFiring
        fields = [
            "id",
            "action",
            "customer",
            "currency",
            "crossing",
            "exposure",
            "line",
            "limit_from",
            "rule",
            "inputs",
            "policy",
            "fired_at",
        ]

    def get_exposure(self, firing: ControlFiring) -> str:
        return money.amount_text(firing.exposure, currency=firing.currency)

    def get_line(self, firing: ControlFiring) -> str:
        return money.amount_text(firing.line, currency=firing.currency)


class CreditLimitShape(serializers.ModelSerializer[CreditLimit]):
    """A limit agreed with a customer; `amount` null is the policy's own again."""

    customer = serializers.CharField(source="customer.code")
    amount = serializers.SerializerMethodField()
    set_by = serializers.CharField(source="set_by.username")
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = CreditLimit
        fields = ["id", "customer", "currency", "amount", "reason", "set_by", "set_at", "audit_reference"]

    def get_amount(self, limit: CreditLimit) -> str | None:
        return None if limit.amount is None else money.amount_text(limit.amount, currency=limit.currency)


class NewLimitShape(serializers.Serializer[Any]):
    """A limit to be set."""

    customer = serializers.CharField(max_length=60)
    currency = serializers.CharField(max_length=3)
    amount = serializers.DecimalField(max_digits=20, decimal_places=4, allow_null=True)
    reason = serializers.CharField(max_length=2000)


class CreditReviewShape(serializers.ModelSerializer[CreditReview]):
    """A look that a charge control asked for."""

    customer = serializers.CharField(source="customer.code")
    firing = ControlFiringShape()
    resolved_by = serializers.CharField(source="resolved_by.username", allow_null=True, default=None)

    class Meta:
        model = CreditReview
        fields = ["id", "customer", "status", "firing", "opened_at", "resolved_by", "resolved_at", "resolution"]


class ResolutionShape(serializers.Serializer[Any]):
    """What came of a review."""

    resolution = serializers.CharField(max_length=2000)


def access_document(found: Access) -> dict[str, Any]:
    """The answer as the API gives it."""
    change, policy = found.change, found.policy
    return {
        "customer": found.customer.code,
        "access": found.status,
        "reason": found.reason,
        "since": found.since,
        "revision": 0 if change is None else change.revision,
        "firing": None if change is None else change.firing_id,
        "policy": None if policy is None else {"program": policy.program, "version": policy.version},
        "exposures": [_line(line) for line in found.lines],
        "as_of": found.as_of,
    }


def _line(line: CreditLine) -> dict[str, Any]:
    row = line.exposure
    amounts = {
        name: money.amount_text(getattr(row, name), currency=row.currency)
        for name in ("unbilled", "drafted", "unpaid", "total")
    }
    return {
        "currency": row.currency,
        **amounts,
        "holds_at": None if line.holds_at is None else money.amount_text(line.holds_at, currency=row.currency),
        "is_complete": row.is_complete,
        "as_of": row.as_of,
        "watermark": row.watermark_seq,
    }
