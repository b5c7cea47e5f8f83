"""Figures far outside a customer's own past, found when a draft was written."""

from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.pricing.models import Charge


class UnusualFigure(models.Model):
    """What a charge, or the whole invoice, comes to, beside what it came to in the periods before."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="unusual")
    charge = models.ForeignKey(
        Charge, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: all lines of the period."
    )
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    least = models.DecimalField(max_digits=20, decimal_places=4, help_text="Of the periods before.")
    greatest = models.DecimalField(max_digits=20, decimal_places=4)
    periods = models.PositiveSmallIntegerField(help_text="How many final invoices it was compared with.")
    times = models.DecimalField(max_digits=8, decimal_places=3, help_text="More than so many times is far.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(least__lte=F("greatest"), periods__gte=1), name="cycle_unusual_past")
        ]
        triggers = [*APPEND_ONLY, guards.NOT_ON_CLOSED_INVOICES]

    def __str__(self) -> str:
        return self.charge.name if self.charge else "The whole invoice"
