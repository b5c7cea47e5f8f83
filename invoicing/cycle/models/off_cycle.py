"""Invoices inside a period: what brought each, and what later lines take off for having been billed already."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core import money
from core.models import APPEND_ONLY
from invoicing.cycle.models import guards
from invoicing.cycle.models.cycles import BillingCycle
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.models.lines import InvoiceLine
from invoicing.policy.models import TriggerPolicy
from metering.models import Watermark

_BOUNDS = ("-1e15", "1e15")

# What is taken off was issued inside the same period, and is taken off once by an invoice.
DEDUCTS_WHAT_WAS_ISSUED = pgtrigger.Trigger(
    name="deducts_what_was_issued",
    level=pgtrigger.Statement,
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="taken_off"),
    func="""
        IF EXISTS (SELECT 1 FROM taken_off deduction
                   JOIN cycle_invoiceline line ON line.id = deduction.line_id
                   JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
                   JOIN cycle_invoiceline billed ON billed.id = deduction.billed_id
                   JOIN cycle_invoice issued ON issued.id = billed.invoice_id
                   WHERE invoice.status NOT IN ('draft', 'held') OR issued.status <> 'final'
                      OR issued.kind <> 'interim' OR issued.cycle_id <> invoice.cycle_id
                      OR line.adjusts_id IS NOT NULL OR billed.adjusts_id IS NOT NULL
                      OR EXISTS (SELECT 1 FROM cycle_deduction other
                                 JOIN cycle_invoiceline beside ON beside.id = other.line_id
                                 WHERE other.billed_id = deduction.billed_id AND other.id <> deduction.id
                                   AND beside.invoice_id = line.invoice_id)) THEN
            RAISE EXCEPTION 'a draft takes off only lines of final interim invoices of its period, each once'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    """,
)


class Deduction(models.Model):
    """A line of an interim invoice that a later line of the same period takes off: it bills the whole less these."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="deductions")
    billed = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="deducted_by")

    class Meta:
        ordering = ["line", "id"]
        constraints = [models.UniqueConstraint(fields=["line", "billed"], name="cycle_deduction_once")]
        triggers = [*APPEND_ONLY, DEDUCTS_WHAT_WAS_ISSUED]

    def __str__(self) -> str:
        return f"{self.line} less {self.billed}"


class InterimFiring(models.Model):
    """An amount that was crossed inside a period, the figures that said so, and the interim draft that it brought."""

    class Cause(models.TextChoices):
        UNBILLED_AMOUNT = "unbilled_amount", "Usage without an invoice reached an amount"
        CREDIT_EXPOSURE = "credit_exposure", "A charge control asked for it"

    cycle = models.ForeignKey(BillingCycle, on_delete=models.PROTECT, related_name="firings")
    ordinal = models.PositiveIntegerField(help_text="1 for the first of its period.")
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="firing")
    policy = models.ForeignKey(TriggerPolicy, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=20, choices=Cause.choices)
    asked_by = models.CharField(max_length=60, blank=True, help_text="What asked for it, where nothing was crossed.")
    currency = models.CharField(max_length=3)
    threshold = models.DecimalField(max_digits=20, decimal_places=4, help_text="As the policy says.")
    unbilled = models.DecimalField(max_digits=20, decimal_places=4, help_text="Used since the last interim draft.")
    watermark = models.ForeignKey(Watermark, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(help_text="Per charge: what its usage so far costs, and what earlier drafts had of it.")
    fired_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "ordinal"], name="cycle_firing_ordinal"),
            models.UniqueConstraint(
                fields=["cycle"], condition=Q(cause="credit_exposure"), name="cycle_firing_exposure_once"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=["unbilled_amount", "credit_exposure"]), name="cycle_firing_cause"
            ),
            models.CheckConstraint(
                condition=Q(threshold__range=("0", "1e15"), unbilled__range=_BOUNDS, ordinal__gte=1),
                name="cycle_firing_bounds",
            ),
            models.CheckConstraint(
                condition=Q(cause="unbilled_amount", asked_by="", unbilled__gte=F("threshold"))
                | (Q(cause="credit_exposure", unbilled__gt=0) & ~Q(asked_by="")),
                name="cycle_firing_crossed",
            ),
        ]
        triggers = [*APPEND_ONLY, guards.ONLY_INVOICE_TRIGGERS_BILL]

    def __str__(self) -> str:
        unbilled, threshold = (
            money.amount_text(amount, currency=self.currency) for amount in (self.unbilled, self.threshold)
        )
        return f"{self.get_cause_display()}: {unbilled} {self.currency}, where {self.policy} says {threshold}"
