"""A decision over everything that a filter of the review queue listed."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice


class BulkReview(models.Model):
    """One decision over everything that a filter of the queue listed; a job makes it, invoice by invoice."""

    class Action(models.TextChoices):
        APPROVE = "approve", "Approve"
        HOLD = "hold", "Hold"
        RELEASE = "release", "Release"

    action = models.CharField(max_length=10, choices=Action.choices)
    reason = OpenedTextField(blank=True)
    reason_code = models.CharField(max_length=60, blank=True, help_text="The usual reason, if it is one.")
    total = models.PositiveIntegerField(help_text="Invoices on the list.")
    list_hash = models.CharField(max_length=64, help_text="SHA-256 over the invoices and figures that were looked at.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "decision over many"
        verbose_name_plural = "decisions over many"
        constraints = [
            models.CheckConstraint(condition=Q(action__in=["approve", "hold", "release"]), name="cycle_bulk_action")
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="question_is_fixed",
                fields=["action", "reason", "reason_code", "total", "list_hash", "asked_by", "asked_at"],
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.total} invoices"


class BulkReviewItem(models.Model):
    """One invoice of it, with the figures that were looked at, and what became of it; nothing yet while it waits."""

    review = models.ForeignKey(BulkReview, on_delete=models.PROTECT, related_name="items")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    outcome = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["invoice"]
        constraints = [
            models.UniqueConstraint(fields=["review", "invoice"], name="cycle_bulk_item_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["", "approved", "first_of_two", "held", "released", "refused"]),
                name="cycle_bulk_item_outcome",
            ),
        ]
        indexes = [models.Index(fields=["review", "invoice"], condition=Q(outcome=""), name="cycle_bulk_item_waiting")]
        triggers = [
            pgtrigger.ReadOnly(name="item_is_fixed", fields=["review", "invoice", "content_hash"]),
            pgtrigger.Protect(name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__outcome="")),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.outcome or 'waits'}"
