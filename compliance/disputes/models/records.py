"""What a dispute gathers: evidence, messages, links to corrections, its letter; and drills."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.disputes.models.disputes import NO_DELETE, NO_TRUNCATE, PATHS, Dispute
from compliance.evidence.models import EvidencePack
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedCharField, OpenedTextField
from invoicing.cycle.models import DeltaReport, Invoice
from invoicing.documents.models import StoredDocument

PERSON = settings.AUTH_USER_MODEL


class DisputeEvidence(models.Model):
    """The chain was walked again for a dispute: what each step came to, the rule that chose the path, and the pack."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    number = models.PositiveIntegerField()
    asked_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    rule = models.CharField(max_length=10, blank=True, help_text="Version of the rule that chose the path.")
    rule_text = models.TextField(blank=True, help_text="The rule in words, as it was then.")
    path = models.CharField(max_length=20, choices=PATHS, blank=True)
    steps = models.JSONField(default=list, help_text="Each step: what the books claimed, what was found.")
    first_break = models.JSONField(null=True, help_text="The first step that differs.")
    pack = models.ForeignKey(EvidencePack, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "dispute evidence"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["dispute", "number"], name="disputes_evidence_number"),
            models.UniqueConstraint(
                fields=["dispute"], condition=Q(finished_at=None), name="disputes_evidence_one_running"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, path="", rule="", first_break=None, pack=None)
                | (Q(finished_at__isnull=False, path="ops", first_break=None, pack__isnull=False) & ~Q(rule=""))
                | (
                    Q(finished_at__isnull=False, path="engineering", first_break__isnull=False, pack__isnull=False)
                    & ~Q(rule="")
                ),
                name="disputes_evidence_path",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["dispute", "number", "asked_by", "asked_at"]),
            pgtrigger.Protect(
                name="finished_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__finished_at__isnull=False)
            ),
            NO_DELETE,
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.dispute}, evidence {self.number}"


class DisputeMessage(models.Model):
    """Something said about a dispute; what is internal no customer sees."""

    class Visibility(models.TextChoices):
        CUSTOMER = "customer", "The customer sees it"
        INTERNAL = "internal", "Internal"

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="messages")
    visibility = models.CharField(max_length=10, choices=Visibility.choices)
    author = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    is_from_customer = models.BooleanField(default=False)
    text = OpenedCharField(max_length=4000, help_text="Under the customer's key.")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility__in=["customer", "internal"]), name="disputes_message_seen_by"
            ),
            models.CheckConstraint(
                condition=Q(is_from_customer=False) | Q(visibility="customer", author__isnull=False),
                name="disputes_message_of_the_customer",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="disputes_message_text"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.text)[:80]


class DisputeFix(models.Model):
    """The correction of an upheld dispute, made by the paths that correct everything: a document or a delta report."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="fixes")
    document = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="+")
    delta_report = models.ForeignKey(DeltaReport, null=True, on_delete=models.PROTECT, related_name="+")
    linked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "dispute fixes"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(document=None, delta_report__isnull=False) | Q(document__isnull=False, delta_report=None),
                name="disputes_fix_is_one",
            ),
            models.UniqueConstraint(
                fields=["dispute", "document", "delta_report"], name="disputes_fix_once", nulls_distinct=False
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.document or self.delta_report)


class DisputeLetter(models.Model):
    """What the customer was answered, as text and as PDF; it names the pack by its SHA-256."""

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="letter")
    evidence = models.ForeignKey(DisputeEvidence, on_delete=models.PROTECT, related_name="+")
    pack_sha256 = models.CharField(max_length=64)
    text = OpenedTextField(about="dispute__invoice", help_text="Under the key of the invoice, as its PDF is.")
    pdf = models.OneToOneField(StoredDocument, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Letter about {self.dispute}"


class DisputeDrill(models.Model):
    """A rehearsal in a database of its own: one dispute of each path, run to its end, and how long each step took."""

    started_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    is_passed = models.BooleanField(null=True, help_text="Each dispute went the way that it should.")
    report = models.JSONField(default=dict, help_text="By path: each step with its seconds and where it led.")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None, is_passed=None) | Q(finished_at__isnull=False, is_passed__isnull=False),
                name="disputes_drill_finished",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="finished_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__finished_at__isnull=False)
            ),
            NO_DELETE,
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Drill {self.pk}"
