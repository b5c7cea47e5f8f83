"""Shapes of erasure. Nothing in them is a person's name: requests and proofs are kept for ever."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import validators
from compliance.erasure import persons
from compliance.erasure.models import Erasure, ErasureRequest, RetentionRule
from compliance.erasure.plan import Plan
from compliance.erasure.rules import refusals
from core.http.serializers import KnownFieldsOnly

USERNAME = "Username of staff."


class ErasureRequestShape(serializers.ModelSerializer[ErasureRequest]):
    """Who is to be forgotten, on which ground, who asked, and what was decided."""

    who = serializers.SerializerMethodField(help_text="The code, or of a portal user the customer and a number.")
    asked_by = serializers.CharField(source="asked_by.username", help_text=USERNAME)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None, help_text=USERNAME)

    class Meta:
        model = ErasureRequest
        fields = [
            "id",
            "kind",
            "who",
            "ground",
            "reference",
            "status",
            "asked_by",
            "asked_at",
            "decided_by",
            "decided_at",
            "refusal",
        ]

    def get_who(self, request: ErasureRequest) -> str:
        return persons.person_of(request).code


class KeptDocumentShape(serializers.Serializer[Any]):
    """An invoice that the law still keeps, with whom it was issued to."""

    invoice = serializers.IntegerField()
    number = serializers.CharField()
    until = serializers.DateField(help_text="The last day on which it is kept.")
    basis = serializers.CharField(help_text="Which law says so.")


class ErasurePlanShape(serializers.Serializer[Any]):
    """What approving would do now, in sentences; with anything in `forbids` it is refused."""

    forbids = serializers.ListField(child=serializers.CharField())
    goes = serializers.ListField(child=serializers.CharField())
    stays = serializers.ListField(child=serializers.CharField())
    kept = KeptDocumentShape(many=True)


class ErasureProofShape(serializers.ModelSerializer[Erasure]):
    """What was erased: it names no one."""

    audit_reference = serializers.CharField(source="audit_entry.reference")
    keys = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of the destroyed keys.")
    did = serializers.ListField(child=serializers.CharField())
    kept_documents = serializers.SerializerMethodField(help_text="How many documents the law kept then.")

    class Meta:
        model = Erasure
        fields = ["erased_at", "keys", "did", "kept_documents", "audit_reference"]

    def get_kept_documents(self, proof: Erasure) -> int:
        return len(proof.kept)


class WholeErasureRequestShape(ErasureRequestShape):
    """The request with what would happen now (`plan`, while it waits) and what was done (`proofs`)."""

    plan = serializers.SerializerMethodField()
    proofs = ErasureProofShape(many=True, source="erasures")

    class Meta(ErasureRequestShape.Meta):
        fields = [*ErasureRequestShape.Meta.fields, "plan", "proofs"]

    @extend_schema_field(ErasurePlanShape(allow_null=True))
    def get_plan(self, request: ErasureRequest) -> dict[str, Any] | None:
        planned: Plan | None = self.context["planned"]
        return None if planned is None else plan_json(planned)


class NewErasureRequestShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """Ask that somebody is forgotten. No names but the one that a portal user signs in with, which is not kept."""

    kind = serializers.ChoiceField(choices=ErasureRequest.Kind.choices)
    code = serializers.CharField(
        max_length=150, help_text="Of the customer or payee, or the name that the portal user signs in with."
    )
    ground = serializers.ChoiceField(choices=ErasureRequest.Ground.choices)
    reference = serializers.CharField(
        max_length=60, validators=[validators.CODE], help_text="The number of the letter or ticket; no names."
    )


class ErasureApprovalShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """One deliberate word: the id of the request once more."""

    confirm = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The id of the request.")


class ErasureRefusalShape(KnownFieldsOnly, serializers.Serializer[Any]):
    """Why not, as a word from a list."""

    refusal = serializers.ChoiceField(choices=refusals.REFUSALS)


class RetentionRuleShape(serializers.ModelSerializer[RetentionRule]):
    """A version of how long invoices are kept."""

    created_by = serializers.CharField(
        source="created_by.username", allow_null=True, default=None, help_text="Empty: it came with the product."
    )

    class Meta:
        model = RetentionRule
        fields = ["id", "country", "years", "basis", "effective_at", "created_by", "created_at"]


def plan_json(planned: Plan) -> dict[str, Any]:
    """As `ErasurePlanShape` has it."""
    kept = [{"invoice": one["invoice_id"], **one} for one in map(asdict, planned.kept)]
    return {
        "forbids": planned.forbids,
        "goes": planned.goes,
        "stays": planned.stays,
        "kept": KeptDocumentShape(kept, many=True).data,
    }
