"""Which disputes ask for a hold on collection, and which of them somebody keeps after its dispute is closed."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.disputes.models.disputes import NO_DELETE, NO_TRUNCATE, Dispute
from core.models import AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import CollectionHold

PERSON = settings.AUTH_USER_MODEL
_OF_ITS_INVOICE = """
    IF NOT EXISTS (
        SELECT 1 FROM disputes_dispute dispute JOIN cycle_collectionhold hold ON hold.invoice_id = dispute.invoice_id
        WHERE dispute.id = NEW.dispute_id AND dispute.status <> 'closed' AND hold.id = NEW.hold_id) THEN
        RAISE EXCEPTION 'a dispute that is open holds the collection of its own invoice'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class DisputeHold(models.Model):
    """A hold that a dispute placed, or that it asks for as well since it stands.

    It ends when the last of these disputes closes, unless a person keeps it and says why.
    """

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="holds")
    hold = models.ForeignKey(CollectionHold, on_delete=models.PROTECT, related_name="+")
    joined_by = models.ForeignKey(
        PERSON, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: its dispute placed the hold."
    )
    joined_at = models.DateTimeField(null=True)
    joined_entry = models.OneToOneField(AuditEntry, null=True, on_delete=models.PROTECT, related_name="+")
    kept_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    kept_at = models.DateTimeField(null=True)
    kept_reason = OpenedTextField(blank=True, help_text="Why it stands after the dispute is closed.")
    kept_entry = models.OneToOneField(AuditEntry, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["dispute", "hold"], name="disputes_hold_asked_once"),
            models.UniqueConstraint(fields=["hold"], condition=Q(joined_at=None), name="disputes_hold_placed_once"),
            models.CheckConstraint(
                condition=Q(joined_by=None, joined_at=None, joined_entry=None)
                | Q(joined_by__isnull=False, joined_at__isnull=False, joined_entry__isnull=False),
                name="disputes_hold_joined",
            ),
            models.CheckConstraint(
                condition=Q(kept_by=None, kept_at=None, kept_reason="", kept_entry=None)
                | (Q(kept_by__isnull=False, kept_at__isnull=False, kept_entry__isnull=False) & ~Q(kept_reason="")),
                name="disputes_hold_kept",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="of_its_invoice", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_OF_ITS_INVOICE
            ),
            pgtrigger.ReadOnly(
                name="placing_is_fixed", fields=["dispute", "hold", "joined_by", "joined_at", "joined_entry"]
            ),
            pgtrigger.Protect(
                name="kept_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__kept_at__isnull=False)
            ),
            NO_DELETE,
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.dispute}: {self.hold}"
