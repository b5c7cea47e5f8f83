"""Shapes of trigger policies."""

from typing import Any

from rest_framework import serializers

from accounts import validators
from core.http.fields import InstantField, JsonField
from invoicing.policy.models import ROLES, SignOff, TriggerPolicy
from invoicing.policy.rules import signing
from invoicing.policy.rules.signing import Signature


class SignOffSerializer(serializers.ModelSerializer[SignOff]):
    """A signature; one with `voided_at` does not count."""

    person = serializers.CharField(source="person.username")
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = SignOff
        fields = ["role", "person", "signed_at", "voided_at", "audit_reference"]


class PolicySerializer(serializers.ModelSerializer[TriggerPolicy]):
    """One version with its signatures, and who has not signed yet."""

    proposed_by = serializers.CharField(source="proposed_by.username")
    terms = JsonField()
    sign_offs = SignOffSerializer(many=True)
    missing_roles = serializers.SerializerMethodField()
    lapsed = serializers.SerializerMethodField(
        help_text="Who had lost the role they signed in when it was to begin; it decides nothing then."
    )

    class Meta:
        model = TriggerPolicy
        fields = [
            "id",
            "program",
            "version",
            "status",
            "effective_at",
            "terms",
            "content_hash",
            "reason",
            "proposed_by",
            "proposed_at",
            "decided_at",
            "withdrawal_reason",
            "sign_offs",
            "missing_roles",
            "lapsed",
        ]

    def get_lapsed(self, policy: TriggerPolicy) -> str:
        beginning = getattr(policy, "beginning", None)
        return "" if beginning is None else str(beginning.gone)

    def get_missing_roles(self, policy: TriggerPolicy) -> list[str]:
        live = [one for one in policy.sign_offs.all() if one.voided_at is None]
        return signing.missing_roles(Signature(one.role, one.person_id) for one in live)


class NewPolicySerializer(serializers.Serializer[Any]):
    """The next version of a program's policy."""

    program = serializers.CharField(max_length=60, validators=[validators.CODE])
    effective_at = InstantField(
        default=None, allow_null=True, help_text="From when on it decides, once it is signed; at once if left out."
    )
    terms = JsonField(help_text="What it decides; what is left out is the normal cycle.")
    reason = serializers.CharField(max_length=2000)


class SignatureSerializer(serializers.Serializer[Any]):
    """A signature in one of the caller's roles, under the content that was read."""

    role = serializers.ChoiceField(choices=ROLES)
    content_hash = serializers.CharField(max_length=64)


class WithdrawalSerializer(serializers.Serializer[Any]):
    """Why a proposal is taken back."""

    reason = serializers.CharField(max_length=2000)
