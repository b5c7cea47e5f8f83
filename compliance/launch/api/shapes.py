"""Shapes of the launch checklist."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import validators
from compliance.launch import exceptions, samples
from compliance.launch.models import (
    ChecklistVersion,
    ExceptionSignature,
    GoLiveDecision,
    LaunchCheck,
    LaunchException,
    SampleAcceptance,
    SampleWalk,
)
from compliance.launch.models.checks import BOXES, OWNERS
from compliance.launch.models.decisions import ROLES as EXCEPTION_ROLES
from compliance.launch.models.samples import ROLES as SAMPLE_ROLES
from compliance.launch.standing import State
from core import searching
from core.http.fields import InstantField, JsonField


class ProofTableSerializer(serializers.Serializer[Any]):
    """Rows of text under their headings; `left_out` more were looked at."""

    head = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    left_out = serializers.IntegerField()


class ProofLinkSerializer(serializers.Serializer[Any]):
    """A page of the back office."""

    text = serializers.CharField()
    path = serializers.CharField()


class ProofSerializer(serializers.Serializer[Any]):
    """What was looked at: named figures, a table, and where more of it stands."""

    facts = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="[[name, value]]"
    )
    table = ProofTableSerializer()
    links = ProofLinkSerializer(many=True)


class BoxStateSerializer(serializers.Serializer[Any]):
    """One box as it counts now; only `closed` is closed."""

    box = serializers.ChoiceField(choices=BOXES)
    title = serializers.CharField()
    program = serializers.CharField(help_text="Empty: it is about everything.")
    state = serializers.ChoiceField(choices=[str(state) for state in State])
    said = serializers.CharField(help_text="What was found.")
    remedy = serializers.CharField(help_text="How to close it; empty where it is closed.")
    owner = serializers.ChoiceField(choices=OWNERS)
    proved_at = serializers.DateTimeField(source="result.proved_at", default=None, allow_null=True)
    ages_at = serializers.DateTimeField(allow_null=True, help_text="From when on the proof is too old.")
    proof = ProofSerializer(source="result.proof", default=None, allow_null=True)
    proof_hash = serializers.CharField(source="result.proof_hash", default=None, allow_null=True)


class LaunchCheckSerializer(serializers.ModelSerializer[LaunchCheck]):
    """One check and how far it is; documents are those whose lines are traced."""

    asked_by = serializers.CharField(source="asked_by.username", default=None, allow_null=True)
    documents_done = serializers.IntegerField(source="walk.invoices_done", default=0)
    documents_total = serializers.IntegerField(source="walk.invoices_total", default=0)
    invariants_done = serializers.SerializerMethodField()

    class Meta:
        model = LaunchCheck
        fields = [
            "id",
            "only",
            "asked_by",
            "asked_at",
            "finished_at",
            "documents_done",
            "documents_total",
            "invariants_done",
        ]

    def get_invariants_done(self, run: LaunchCheck) -> int:
        """How many were searched to their end, or given up."""
        return searching.how_far(run)[0]


class NewLaunchCheckSerializer(serializers.Serializer[Any]):
    """What to look at again."""

    box = serializers.ChoiceField(choices=BOXES, default="", allow_blank=True, help_text="Left out: every box.")


class LaunchSerializer(serializers.Serializer[Any]):
    """The checklist as it stands: the last finished check, aged to now, and the one that runs."""

    is_closed = serializers.BooleanField(help_text="Every box is closed.")
    checklist_version = serializers.IntegerField()
    check = LaunchCheckSerializer(allow_null=True, help_text="The last finished check of every box.")
    running = LaunchCheckSerializer(allow_null=True, help_text="The first one that is not finished.")
    boxes = BoxStateSerializer(many=True)


class ChecklistSerializer(serializers.ModelSerializer[ChecklistVersion]):
    """How old proofs may be and who answers for them; the highest approved version counts."""

    terms = JsonField()
    proposed_by = serializers.CharField(source="proposed_by.username", default=None, allow_null=True)
    approved_by = serializers.CharField(source="approval.person.username", default=None, allow_null=True)
    counts = serializers.SerializerMethodField()

    class Meta:
        model = ChecklistVersion
        fields = ["version", "terms", "reason", "proposed_by", "proposed_at", "approved_by", "counts"]

    @extend_schema_field(serializers.BooleanField())
    def get_counts(self, version: ChecklistVersion) -> bool:
        return bool(version.version == self.context["in_force"])


class AcceptanceSerializer(serializers.ModelSerializer[SampleAcceptance]):
    """One person accepted the proof."""

    person = serializers.CharField(source="person.username")
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = SampleAcceptance
        fields = ["role", "person", "comment", "at", "audit_reference"]


class SampleSerializer(serializers.ModelSerializer[SampleWalk]):
    """A sample account: what its walk shows, and who accepted it."""

    kind = serializers.ChoiceField(choices=SampleWalk.Kind.choices)
    made_by = serializers.CharField(source="made_by.username")
    proof = ProofSerializer()
    acceptances = AcceptanceSerializer(many=True)
    missing_roles = serializers.SerializerMethodField()

    class Meta:
        model = SampleWalk
        fields = [
            "id",
            "program",
            "kind",
            "invoice",
            "proof",
            "proof_hash",
            "made_by",
            "made_at",
            "acceptances",
            "missing_roles",
        ]

    def get_missing_roles(self, sample: SampleWalk) -> list[str]:
        return samples.missing_roles(sample)


class NewSampleSerializer(serializers.Serializer[Any]):
    """Which document to walk, and what it is to show."""

    program = serializers.CharField(max_length=60, validators=[validators.CODE])
    kind = serializers.ChoiceField(choices=SampleWalk.Kind.choices)
    invoice = serializers.CharField(max_length=60, help_text="Its number, or its id.")


class NewAcceptanceSerializer(serializers.Serializer[Any]):
    """Accept the proof that was read, in one of the caller's roles."""

    role = serializers.ChoiceField(choices=SAMPLE_ROLES)
    proof_hash = serializers.CharField(max_length=64)
    comment = serializers.CharField(max_length=2000, default="", allow_blank=True)


class DecidedBoxSerializer(serializers.Serializer[Any]):
    """One box as it stood when it was decided."""

    box = serializers.ChoiceField(choices=BOXES)
    state = serializers.ChoiceField(choices=[str(state) for state in State])
    proof_hash = serializers.CharField(allow_null=True)
    exception = serializers.IntegerField(allow_null=True, help_text="The exception that let it stand open.")


class GoLiveSerializer(serializers.ModelSerializer[GoLiveDecision]):
    """A program declared live or stopped; the last decision about it says."""

    decided_by = serializers.CharField(source="decided_by.username")
    audit_reference = serializers.CharField(source="audit_entry.reference")
    launch_check = serializers.IntegerField(source="run_id", allow_null=True)
    boxes = DecidedBoxSerializer(many=True)

    class Meta:
        model = GoLiveDecision
        fields = [
            "id",
            "program",
            "outcome",
            "reason",
            "launch_check",
            "boxes",
            "decided_by",
            "decided_at",
            "audit_reference",
        ]


class NewGoLiveSerializer(serializers.Serializer[Any]):
    """Declare a program live, or stop it."""

    program = serializers.CharField(max_length=60, validators=[validators.CODE])
    outcome = serializers.ChoiceField(choices=GoLiveDecision.Outcome.choices)
    reason = serializers.CharField(max_length=2000)


class ExceptionSignatureSerializer(serializers.ModelSerializer[ExceptionSignature]):
    """One of the two signatures."""

    person = serializers.CharField(source="person.username")
    audit_reference = serializers.CharField(source="audit_entry.reference")

    class Meta:
        model = ExceptionSignature
        fields = ["role", "person", "at", "audit_reference"]


class LaunchExceptionSerializer(serializers.ModelSerializer[LaunchException]):
    """Boxes that may stand open for a program until an end, once both signed."""

    boxes = serializers.ListField(child=serializers.ChoiceField(choices=BOXES))
    proposed_by = serializers.CharField(source="proposed_by.username")
    signatures = ExceptionSignatureSerializer(many=True)
    missing_roles = serializers.SerializerMethodField()

    class Meta:
        model = LaunchException
        fields = [
            "id",
            "program",
            "boxes",
            "reason",
            "ends_at",
            "content_hash",
            "proposed_by",
            "proposed_at",
            "signatures",
            "missing_roles",
        ]

    def get_missing_roles(self, asked: LaunchException) -> list[str]:
        return exceptions.missing_roles(asked)


class NewExceptionSerializer(serializers.Serializer[Any]):
    """Which boxes, why, and until when: 31 days at most."""

    program = serializers.CharField(max_length=60, validators=[validators.CODE])
    boxes = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50)
    reason = serializers.CharField(max_length=2000)
    ends_at = InstantField()


class NewExceptionSignatureSerializer(serializers.Serializer[Any]):
    """A signature in one of the caller's roles, under the content that was read."""

    role = serializers.ChoiceField(choices=EXCEPTION_ROLES)
    content_hash = serializers.CharField(max_length=64)


class NewChecklistSerializer(serializers.Serializer[Any]):
    """The next version; a box that is left out has its usual rule."""

    terms = JsonField(help_text='`{"invariants_clean": {"max_age_hours": 12, "owner": "engineering"}}`')
    reason = serializers.CharField(max_length=2000)
