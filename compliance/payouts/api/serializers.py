"""Bodies and answers: translated here, decided in the stages."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import validators
from accounts.models import Customer
from compliance.payouts import queries
from compliance.payouts.api.fields import ID_MAX, AmountField, Base64Field
from compliance.payouts.models import GateDecision, GateRequirement, Payable, Payee
from compliance.payouts.models.gates import STATE_LABELS, EvidenceFile
from compliance.payouts.models.payees import GATE_KINDS
from core import money
from core.http.fields import InstantField


class PayeeSerializer(serializers.ModelSerializer[Payee]):
    """A payee; its identity is given once."""

    customer = serializers.SlugRelatedField(
        slug_field="code", queryset=Customer.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Payee
        fields: ClassVar = [
            "id",
            "code",
            "legal_name",
            "kind",
            "program",
            "market",
            "country",
            "email",
            "customer",
            "created_at",
        ]
        read_only_fields: ClassVar = ["id", "created_at"]


class ContactSerializer(serializers.Serializer[Payee]):
    """What may change about a payee."""

    email = serializers.EmailField(required=False, allow_blank=True)
    customer = serializers.SlugRelatedField(
        slug_field="code", queryset=Customer.objects.all(), required=False, allow_null=True
    )


class GateVerdictSerializer(serializers.Serializer[Any]):
    """One gate at an instant, with the decision it rests on."""

    gate = serializers.CharField()
    state = serializers.ChoiceField(choices=STATE_LABELS)
    passed = serializers.BooleanField()
    detail = serializers.CharField()
    gate_check = serializers.IntegerField(allow_null=True)
    expires_at = serializers.CharField(allow_null=True)
    decided_at = serializers.CharField(allow_null=True)
    audit_reference = serializers.CharField(allow_null=True)


class PayeeDetailSerializer(PayeeSerializer):
    """A payee, and what a release would say to it now."""

    outcome = serializers.CharField(read_only=True)
    gates = GateVerdictSerializer(many=True, read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(PayeeSerializer.Meta):
        fields: ClassVar = [*PayeeSerializer.Meta.fields, "outcome", "gates", "reasons"]


class RequirementSerializer(serializers.ModelSerializer[GateRequirement]):
    """A version of the gates that a program asks for in a market."""

    gates = serializers.ListField(child=serializers.ChoiceField(choices=GATE_KINDS), min_length=1, max_length=20)
    effective_at = InstantField(required=False, allow_null=True, help_text="Left out: from now on.")

    class Meta:
        model = GateRequirement
        fields: ClassVar = ["id", "program", "market", "payee_kind", "gates", "effective_at", "reason", "created_at"]
        read_only_fields: ClassVar = ["id", "created_at"]
        validators: ClassVar[list[Any]] = []  # the stage refuses a second version of the same instant


class AmountsSerializer(serializers.Serializer[Any]):
    """A sum in one currency."""

    currency = serializers.CharField()
    amount = serializers.CharField()


class GateCheckSerializer(serializers.Serializer[Any]):
    """A gate of a payee as it stands now."""

    id = serializers.IntegerField(source="check.pk")
    payee = serializers.CharField(source="check.payee.code")
    gate = serializers.CharField(source="check.kind")
    state = serializers.ChoiceField(choices=STATE_LABELS)
    expires_at = serializers.DateTimeField(source="check.expires_at", allow_null=True)
    days_left = serializers.IntegerField(allow_null=True)
    is_required = serializers.BooleanField(help_text="Whether the requirements in force ask for it.")
    waiting = AmountsSerializer(many=True, help_text="What the payee is owed while this gate is required.")
    opened_at = serializers.DateTimeField(source="check.opened_at")


class GateDecisionSerializer(serializers.ModelSerializer[GateDecision]):
    """One decision about a gate."""

    actor = serializers.CharField(source="actor.get_username")
    evidence_files = serializers.JSONField(source="documents")
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = GateDecision
        fields: ClassVar = [
            "verdict",
            "from_state",
            "to_state",
            "reason",
            "evidence",
            "evidence_files",
            "expires_at",
            "actor",
            "decided_at",
            "audit_reference",
        ]


class EvidenceFileSerializer(serializers.ModelSerializer[EvidenceFile]):
    """A stored document, without its bytes."""

    payee = serializers.CharField(source="gate_check.payee.code", read_only=True, help_text="Whose paper it is.")

    class Meta:
        model = EvidenceFile
        fields: ClassVar = ["id", "payee", "name", "media_type", "size", "sha256", "added_at"]


class NewEvidenceSerializer(serializers.Serializer[Any]):
    """A document to be stored."""

    name = serializers.CharField(max_length=200)
    content = Base64Field(help_text="The file in Base64: a PDF, PNG or JPEG.")


class GateCheckDetailSerializer(GateCheckSerializer):
    """A gate with every decision and document."""

    decisions = GateDecisionSerializer(many=True, source="check.decisions")
    evidence_files = EvidenceFileSerializer(many=True, source="check.evidence_files")


class VerdictSerializer(serializers.Serializer[Any]):
    """Why a gate is moved, and what was looked at."""

    reason = serializers.CharField(max_length=2000)
    evidence = serializers.CharField(max_length=5000, required=False, default="", allow_blank=True)


class ApprovalSerializer(VerdictSerializer):
    """The same with an end; an approval needs evidence, written here or stored as a file before."""

    expires_at = InstantField(required=False, allow_null=True, default=None)


class PayableSerializer(serializers.ModelSerializer[Payable]):
    """A debt to a payee, and what became of it."""

    payee = serializers.CharField(source="payee.code")
    amount = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    batch = serializers.CharField(source="batch_item.batch.reference", default=None)

    class Meta:
        model = Payable
        fields: ClassVar = ["id", "payee", "reference", "amount", "currency", "status", "batch", "created_at"]

    @extend_schema_field({"type": "string", "enum": list(queries.PAYABLE_STATUSES)})
    def get_status(self, payable: Payable) -> str:
        return queries.status_of(payable)

    def get_amount(self, payable: Payable) -> str:
        return money.amount_text(payable.amount, currency=payable.currency)


class NewPayableSerializer(serializers.Serializer[Any]):
    """A debt to be entered."""

    payee = serializers.SlugRelatedField(slug_field="code", queryset=Payee.objects.all())
    reference = serializers.CharField(max_length=120)
    amount = AmountField()
    currency = serializers.CharField(max_length=3, validators=[validators.check_currency])


class PayoutReasonSerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=2000)


class NewBatchSerializer(serializers.Serializer[Any]):
    """Payables to be put up for payment together."""

    reference = serializers.CharField(max_length=60, validators=[validators.CODE])
    payables = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=ID_MAX), min_length=1, max_length=5000
    )


class BatchSerializer(serializers.Serializer[Any]):
    """A batch in a list."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    created_by = serializers.CharField(source="created_by.get_username")
    created_at = serializers.DateTimeField()
    payables = serializers.IntegerField(help_text="How many payables stand in it.")
    unpaid = serializers.IntegerField(help_text="How many of them are still owed.")


class DecidedItemSerializer(serializers.Serializer[Any]):
    """The answer of a release for one payable."""

    payable = serializers.IntegerField()
    reference = serializers.CharField()
    payee = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["released", "blocked"])
    reasons = serializers.ListField(child=serializers.CharField())
    gates = GateVerdictSerializer(many=True)
    decided_at = serializers.DateTimeField()
    audit_reference = serializers.CharField()


class PayoutReleaseSerializer(serializers.Serializer[Any]):
    """The standing decision about every payable of a batch."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    released = serializers.IntegerField()
    blocked = serializers.IntegerField()
    items = DecidedItemSerializer(many=True)


class BatchItemSerializer(serializers.Serializer[Any]):
    """One payable of a batch: as decided, or what a release would answer at this instant."""

    payable = serializers.IntegerField()
    reference = serializers.CharField()
    payee = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=list(queries.PAYABLE_STATUSES))
    outcome = serializers.ChoiceField(choices=["released", "blocked"], allow_null=True)
    is_decided = serializers.BooleanField(help_text="False: what a release would answer now.")
    reasons = serializers.ListField(child=serializers.CharField())
    gates = GateVerdictSerializer(many=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    audit_reference = serializers.CharField(allow_null=True)


class BatchDetailSerializer(BatchSerializer):
    """A batch with its payables."""

    items = BatchItemSerializer(many=True, source="lines")
