"""Final invoices whose amount nobody collects for now; the invoice itself is not touched by it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice

PERSON = settings.AUTH_USER_MODEL
_FINAL_ONLY = """
    IF NOT EXISTS (SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status = 'final') THEN
        RAISE EXCEPTION 'invoice % is not final: there is nothing to collect', NEW.invoice_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class CollectionHold(models.Model):
    """Nobody asks for the money of an invoice until this is lifted; what is owed stays owed."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="collection_holds")
    reason = OpenedTextField()
    placed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")
    lifted_by = models.ForeignKey(
        PERSON, null=True, on_delete=models.PROTECT, related_name="+", help_text="None where the product lifted it."
    )
    lifted_at = models.DateTimeField(null=True)
    lifting_reason = OpenedTextField(blank=True)
    lifting_entry = models.OneToOneField(AuditEntry, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice"], condition=Q(lifted_at=None), name="cycle_collection_one_open"),
            models.CheckConstraint(condition=~Q(reason=""), name="cycle_collection_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None, lifting_reason="", lifting_entry=None)
                | (Q(lifted_at__isnull=False, lifting_entry__isnull=False) & ~Q(lifting_reason="")),
                name="cycle_collection_lifted",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(name="final_only", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_FINAL_ONLY),
            pgtrigger.ReadOnly(
                name="placing_is_fixed", fields=["invoice", "reason", "placed_by", "placed_at", "audit_entry"]
            ),
            pgtrigger.Protect(
                name="lifted_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__lifted_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.reason}"
