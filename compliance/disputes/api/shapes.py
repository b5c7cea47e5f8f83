"""Shapes of disputes."""

from typing import Any

from rest_framework import serializers

from compliance.disputes.models import (
    Dispute,
    DisputeDrill,
    DisputeEvidence,
    DisputeFix,
    DisputeHold,
    DisputeMessage,
    DisputePolicy,
    DisputeTransition,
)
from compliance.disputes.models.disputes import OUTCOMES, PATHS, STATUSES
from compliance.disputes.models.policies import OWNERS
from compliance.disputes.rules import due
from core.http.fields import JsonField
from core.http.serializers import KnownFieldsOnly

POSITION_MAX = 2**31 - 1
ID_MAX = 2**63 - 1
TEXT_MAX = 4000


class DisputePolicyShape(serializers.ModelSerializer[DisputePolicy]):
    """Owners and hours of each step; the newest version counts for what is opened."""

    set_by = serializers.CharField(source="set_by.username", allow_null=True, default=None)

    class Meta:
        model = DisputePolicy
        fields = ["version", *due.HOURS, *due.OWNERS, "reason", "set_by", "set_at"]


class NewDisputePolicyShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """The next version; what is left out stays as it is."""

    evidence_hours = serializers.IntegerField(min_value=1, max_value=due.HOURS_MAX, required=False)
    decision_hours = serializers.IntegerField(min_value=1, max_value=due.HOURS_MAX, required=False)
    repair_hours = serializers.IntegerField(min_value=1, max_value=due.HOURS_MAX, required=False)
    correction_hours = serializers.IntegerField(min_value=1, max_value=due.HOURS_MAX, required=False)
    update_hours = serializers.IntegerField(min_value=1, max_value=due.HOURS_MAX, required=False)
    ops_owner = serializers.ChoiceField(choices=OWNERS, required=False)
    engineering_owner = serializers.ChoiceField(choices=OWNERS, required=False)
    correction_owner = serializers.ChoiceField(choices=OWNERS, required=False)
    reason = serializers.CharField(max_length=2000)


class NewDisputeShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """What is contested and why; without `line` the whole invoice."""

    invoice = serializers.IntegerField(min_value=1, max_value=ID_MAX)
    line = serializers.IntegerField(
        min_value=1, max_value=POSITION_MAX, required=False, allow_null=True, help_text="The position of a line."
    )
    reason = serializers.ChoiceField(choices=Dispute.Reason.choices)
    text = serializers.CharField(max_length=TEXT_MAX)


class ClosingShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """The last dispute that asked for a hold on collection ends it as it closes, unless this says why it stays."""

    keep_hold = serializers.CharField(
        max_length=TEXT_MAX,
        required=False,
        allow_blank=True,
        help_text="Why the hold that this dispute asked for stands after it; empty: it ends with the last that asked.",
    )


class DisputeAnswerShape(ClosingShape):
    """The answer to the customer, as it stands in the letter."""

    answer = serializers.CharField(max_length=TEXT_MAX)


class DisputeReasonShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=TEXT_MAX)


class DisputeWithdrawalShape(ClosingShape, DisputeReasonShape):
    """Why the customer takes it back."""


class NewDisputeMessageShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """An update that the customer sees, or a remark that they do not."""

    visibility = serializers.ChoiceField(choices=DisputeMessage.Visibility.choices)
    text = serializers.CharField(max_length=TEXT_MAX)


class DisputeOwnerShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """A person in the role that owns the step; empty gives it back to the role."""

    owner = serializers.CharField(source="username", max_length=150, allow_blank=True)


class NewDisputeFixShape(ClosingShape):
    """What corrects it: either a document or a delta report."""

    document = serializers.IntegerField(
        source="document_id", min_value=1, max_value=ID_MAX, default=None, allow_null=True
    )
    delta_report = serializers.IntegerField(
        source="delta_report_id", min_value=1, max_value=ID_MAX, default=None, allow_null=True
    )


class DisputeStepShape(serializers.Serializer[Any]):
    """One step done again; `line` is null for the totals of the invoice."""

    line = serializers.IntegerField(allow_null=True)
    step = serializers.CharField()
    claimed = serializers.CharField()
    found = serializers.CharField()


class DisputeEvidenceShape(serializers.ModelSerializer[DisputeEvidence]):
    """The chain walked again, the rule that chose the path, and the pack."""

    steps = DisputeStepShape(many=True)
    first_break = DisputeStepShape(allow_null=True)
    pack_sha256 = serializers.CharField(source="pack.sha256", allow_null=True, default=None)
    pack_file = serializers.CharField(source="pack.file_name", allow_null=True, default=None)

    class Meta:
        model = DisputeEvidence
        fields = [
            "number",
            "asked_at",
            "finished_at",
            "rule",
            "rule_text",
            "path",
            "steps",
            "first_break",
            "pack_sha256",
            "pack_file",
        ]


class DisputeMessageShape(serializers.ModelSerializer[DisputeMessage]):
    """Something said; without an author it was said by the system."""

    author = serializers.CharField(source="author.username", allow_null=True, default=None)

    class Meta:
        model = DisputeMessage
        fields = ["visibility", "author", "is_from_customer", "text", "written_at"]


class DisputeTransitionShape(serializers.ModelSerializer[DisputeTransition]):
    """One move."""

    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = DisputeTransition
        fields = ["revision", "from_status", "to_status", "outcome", "reason", "actor", "moved_at", "audit_reference"]


class DisputeFixShape(serializers.ModelSerializer[DisputeFix]):
    """A link to what corrects it."""

    linked_by = serializers.CharField(source="linked_by.username")

    class Meta:
        model = DisputeFix
        fields = ["document", "delta_report", "linked_by", "linked_at"]


class DisputeHoldShape(serializers.ModelSerializer[DisputeHold]):
    """A hold on collection that the dispute asked for; with `lifted_at` but without `lifted_by` the product lifted it.

    Without `joined_at` the dispute placed it; otherwise it stood for another one, which placed it.
    """

    placed_by = serializers.CharField(source="hold.placed_by.username")
    placed_at = serializers.DateTimeField(source="hold.placed_at")
    reason = serializers.CharField(source="hold.reason")
    lifted_by = serializers.CharField(source="hold.lifted_by.username", allow_null=True, default=None)
    lifted_at = serializers.DateTimeField(source="hold.lifted_at", allow_null=True)
    lifting_reason = serializers.CharField(source="hold.lifting_reason", allow_blank=True)
    joined_by = serializers.CharField(source="joined_by.username", allow_null=True, default=None)
    kept_by = serializers.CharField(source="kept_by.username", allow_null=True, default=None)

    class Meta:
        model = DisputeHold
        fields = [
            "placed_by",
            "placed_at",
            "reason",
            "lifted_by",
            "lifted_at",
            "lifting_reason",
            "joined_by",
            "joined_at",
            "kept_by",
            "kept_at",
            "kept_reason",
        ]


class DisputeShape(serializers.ModelSerializer[Dispute]):
    """Where a dispute stands, who has it and until when."""

    customer = serializers.CharField(source="customer.code")
    invoice_number = serializers.CharField(source="invoice.number")
    line = serializers.IntegerField(source="line.position", allow_null=True, default=None)
    status = serializers.ChoiceField(choices=STATUSES)
    path = serializers.ChoiceField(choices=PATHS, allow_blank=True)
    outcome = serializers.ChoiceField(choices=OUTCOMES, allow_blank=True)
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None)
    opened_by = serializers.CharField(source="opened_by.username")
    policy = serializers.IntegerField(source="policy.version")
    is_on_hold = serializers.BooleanField(help_text="Whether its invoice is on hold for collection.")

    class Meta:
        model = Dispute
        fields = [
            "id",
            "customer",
            "invoice",
            "invoice_number",
            "line",
            "reason",
            "text",
            "origin",
            "opened_by",
            "opened_at",
            "status",
            "path",
            "outcome",
            "owner_role",
            "owner",
            "due_at",
            "update_due_at",
            "closed_at",
            "policy",
            "is_on_hold",
        ]


class WholeDisputeShape(DisputeShape):
    """The same with all that it gathered."""

    evidence = DisputeEvidenceShape(many=True)
    messages = DisputeMessageShape(many=True)
    transitions = DisputeTransitionShape(many=True)
    fixes = DisputeFixShape(many=True)
    holds = DisputeHoldShape(many=True)
    has_letter = serializers.SerializerMethodField()

    class Meta(DisputeShape.Meta):
        fields = [*DisputeShape.Meta.fields, "evidence", "messages", "transitions", "fixes", "holds", "has_letter"]

    def get_has_letter(self, dispute: Dispute) -> bool:
        return hasattr(dispute, "letter")


class DisputeDrillShape(serializers.ModelSerializer[DisputeDrill]):
    """A rehearsal of both paths, with the seconds of each step."""

    report = JsonField()
    started_by = serializers.CharField(source="started_by.username", allow_null=True, default=None)

    class Meta:
        model = DisputeDrill
        fields = ["id", "started_by", "started_at", "finished_at", "is_passed", "report", "error"]
