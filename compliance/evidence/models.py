"""Evidence packs and recounts: what was asked for, and what came of it, kept for good."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import APPEND_ONLY, AuditEntry, AuditHead
from invoicing.cycle.models import Invoice, InvoiceLine


class EvidencePack(models.Model):
    """One ZIP about an invoice, or about one line of it; made anew only where what it says has changed."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="evidence_packs")
    line = models.ForeignKey(InvoiceLine, null=True, on_delete=models.PROTECT, related_name="evidence_packs")
    facts_sha256 = models.CharField(max_length=64, help_text="Of everything in it but the events.")
    manifest_sha256 = models.CharField(max_length=64, help_text="What the audit chain says of it.")
    sha256 = models.CharField(max_length=64, help_text="Of the whole ZIP.")
    size = models.BigIntegerField(help_text="Bytes.")
    event_count = models.BigIntegerField()
    file_name = models.CharField(max_length=120)
    audit_entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="+")
    head = models.ForeignKey(AuditHead, on_delete=models.PROTECT, related_name="+")
    is_sealed = models.BooleanField(default=False, help_text="Whether its parts lie under the invoice's personal key.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "line", "facts_sha256"], name="evidence_pack_once", nulls_distinct=False
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.file_name


class EvidencePackPart(models.Model):
    """A stretch of the ZIP's bytes; all of them in order are the ZIP."""

    pack = models.ForeignKey(EvidencePack, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["pack", "position"]
        constraints = [models.UniqueConstraint(fields=["pack", "position"], name="evidence_part_position")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.pack}, part {self.position}"


class EvidenceRequest(models.Model):
    """Somebody asked for a pack that takes longer than a page can wait; how far it has come."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="evidence_requests")
    line = models.ForeignKey(InvoiceLine, null=True, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    events_total = models.BigIntegerField(help_text="About how many events are to be written.")
    events_done = models.BigIntegerField(default=0)
    pack = models.ForeignKey(EvidencePack, null=True, on_delete=models.PROTECT, related_name="requests")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(events_total__gte=0, events_done__gte=0), name="evidence_request_progress"
            ),
            models.UniqueConstraint(
                fields=["invoice", "line"],
                condition=Q(pack=None),
                name="evidence_request_one_open",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"evidence of {self.invoice}"

    @property
    def percent(self) -> int:
        """How much is done, from 0 to 99; the rest is sealing and storing."""
        return min(99, 100 * self.events_done // max(self.events_total, 1))


class LineRecount(models.Model):
    """All events behind a line were counted again, because there are too many to do it while somebody waits."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="recounts")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    is_equal = models.BooleanField(null=True, help_text="Whether the amount followed from the events.")
    checks = models.JSONField(default=list, help_text="Each step: what the books claimed, what was found.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(finished_at=None), name="evidence_recount_one_open"),
            models.CheckConstraint(
                condition=Q(finished_at=None, is_equal=None) | Q(finished_at__isnull=False, is_equal__isnull=False),
                name="evidence_recount_finished",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="finished_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__finished_at__isnull=False)
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"recount of {self.line}"
