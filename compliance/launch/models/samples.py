"""Sample accounts that were walked from events to the document, and who accepted what they saw."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts import validators
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import Invoice
from invoicing.policy.rules.signing import SIGNING_ROLES

ROLES = [(role, role.capitalize()) for role in SIGNING_ROLES]

_OVER_THIS_PROOF = """
    PERFORM 1 FROM launch_samplewalk WHERE id = NEW.sample_id AND proof_hash = NEW.proof_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'that is not the proof of sample %', NEW.sample_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class SampleWalk(models.Model):
    """A document of one account, every step of every line done again, as product, finance and ops are to look at it."""

    class Kind(models.TextChoices):
        MID_CYCLE_CHANGE = "mid_cycle_change", "A change inside the period"
        LATE_EVENT = "late_event", "An event that came late"

    program = models.CharField(
        max_length=60,
        validators=[validators.CODE],
        help_text="For whose launch it is looked at; the account may be another's.",
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    proof = models.JSONField(help_text="`{facts, table, links}`")
    proof_hash = models.CharField(max_length=64, help_text="SHA-256 of the proof: what is accepted.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["mid_cycle_change", "late_event"]), name="launch_sample_kind")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Sample {self.pk}: {self.get_kind_display().lower()}"


class SampleAcceptance(models.Model):
    """One person accepts what the walk shows, in a role that they hold; three roles, three people."""

    sample = models.ForeignKey(SampleWalk, on_delete=models.PROTECT, related_name="acceptances")
    role = models.CharField(max_length=20, choices=ROLES)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proof_hash = models.CharField(max_length=64)
    comment = OpenedTextField(blank=True, about="sample__invoice__customer")
    at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["sample", "id"]
        constraints = [
            models.UniqueConstraint(fields=["sample", "role"], name="launch_acceptance_once_per_role"),
            models.UniqueConstraint(fields=["sample", "person"], name="launch_acceptance_once_per_person"),
            models.CheckConstraint(condition=Q(role__in=SIGNING_ROLES), name="launch_acceptance_role"),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="over_this_proof", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_OVER_THIS_PROOF
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.role}"
