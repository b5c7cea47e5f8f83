"""What was decided about an invoice: every move, and every hold with its release."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.models.review import HoldReason
from invoicing.policy.models import TriggerPolicy


class InvoiceTransition(models.Model):
    """One move of an invoice from a status to the next: who, when, why."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="transitions")
    revision = models.PositiveIntegerField(help_text="The invoice's revision after this move.")
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = OpenedTextField(blank=True)
    content_hash = models.CharField(max_length=64)
    moved_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "revision"], name="cycle_transition_once_per_revision")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"


class Hold(models.Model):
    """Why an invoice waits, and who let it go."""

    class Cause(models.TextChoices):
        BREAK = "break", "The stages do not tie"
        PERSON = "person", "Placed by a person"
        REVIEW = "review", "Far outside the customer's own past"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="holds")
    policy = models.ForeignKey(
        TriggerPolicy,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The version that decides over its invoice; empty only on holds from before this was kept.",
    )
    cause = models.CharField(max_length=10, choices=Cause.choices)
    listed_reason = models.ForeignKey(
        HoldReason, null=True, on_delete=models.PROTECT, related_name="+", help_text="The usual reason, if it is one."
    )
    reason = OpenedTextField()
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty on a hold that ended because its draft was discarded.",
    )
    released_at = models.DateTimeField(null=True)
    listed_release = models.ForeignKey(HoldReason, null=True, on_delete=models.PROTECT, related_name="+")
    release_reason = OpenedTextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(cause__in=["break", "person", "review"]), name="cycle_hold_cause"),
            models.UniqueConstraint(fields=["invoice"], condition=Q(released_at=None), name="cycle_hold_one_open"),
            models.CheckConstraint(
                condition=Q(placed_by=None) | Q(released_by=None) | ~Q(placed_by=F("released_by")),
                name="cycle_hold_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None, release_reason="")
                | (Q(released_at__isnull=False) & ~Q(release_reason="")),
                name="cycle_hold_released_with_reason",
            ),
        ]
        triggers = [
            guards.NOT_ON_CLOSED_INVOICES,
            guards.ONLY_PEOPLE_AND_BREAKS_HOLD,
            guards.HOLDS_NAME_THE_POLICY,
            pgtrigger.ReadOnly(
                name="placing_is_fixed",
                fields=["invoice", "policy", "cause", "listed_reason", "reason", "placed_by", "placed_at"],
            ),
            pgtrigger.Protect(
                name="released_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__released_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return str(self.reason)
