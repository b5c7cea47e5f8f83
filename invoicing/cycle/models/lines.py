"""What stands on an invoice: its lines, and the tax on them."""

from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY
from core.sealed_fields import OpenedCharField
from invoicing.cycle.models import line_guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.pricing.models import InvoiceTerm
from invoicing.rating.models import RatedLine


class InvoiceLine(models.Model):
    """One rated segment on an invoice; lines are written with their draft and never changed.

    An adjustment names the line it corrects; its quantity and amount are what the whole window is worth now less
    what final lines have billed of it, so both may be negative.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    rated_line = models.OneToOneField(RatedLine, on_delete=models.PROTECT, related_name="invoice_line")
    description = models.CharField(max_length=200)
    meter_code = models.CharField(max_length=60, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    segment_start = models.DateTimeField()
    segment_end = models.DateTimeField()
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    unit_price = models.CharField(max_length=80, blank=True, help_text="As printed; empty where tiers set several.")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_category = models.CharField(max_length=2)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)
    adjusts = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="adjusted_by")

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="cycle_line_position"),
            models.CheckConstraint(condition=Q(segment_start__lt=F("segment_end")), name="cycle_line_segment"),
            models.CheckConstraint(
                condition=Q(
                    amount__range=("-1e15", "1e15"),
                    quantity__range=("-1e18", "1e18"),
                    tax_percent__range=("0", "100"),
                ),
                name="cycle_line_bounds",
            ),
        ]
        triggers = [*APPEND_ONLY, line_guards.LINES_ON_DRAFTS_ONLY]

    def __str__(self) -> str:
        return f"{self.invoice} line {self.position}"


class CreditLine(models.Model):
    """What a credit note gives back of an issued line because somebody in finance asked for it; nothing is rated.

    The amount has its sign: below 0 for a line that was charged.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_lines")
    position = models.PositiveIntegerField()
    credits = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credited_by")
    description = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_category = models.CharField(max_length=2)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="cycle_credit_line_position"),
            models.UniqueConstraint(fields=["invoice", "credits"], name="cycle_credit_line_once"),
            models.CheckConstraint(
                condition=Q(amount__range=("-1e15", "1e15"), tax_percent__range=("0", "100")) & ~Q(amount=0),
                name="cycle_credit_line_bounds",
            ),
        ]
        triggers = [*APPEND_ONLY, line_guards.CREDITS_ON_DRAFTS_ONLY]

    def __str__(self) -> str:
        return f"{self.invoice} credit {self.position}"


class InvoiceAllowanceCharge(models.Model):
    """Taken off or added on the document as agreed, under one tax category and rate (EN 16931 BG-20 and BG-21)."""

    class Kind(models.TextChoices):
        ALLOWANCE = "allowance", "Allowance"
        CHARGE = "charge", "Charge"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allowances_charges")
    position = models.PositiveIntegerField()
    term = models.ForeignKey(InvoiceTerm, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = OpenedCharField(max_length=120)
    percent = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    base = models.DecimalField(max_digits=20, decimal_places=4, null=True, help_text="What the percentage is taken of.")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_category = models.CharField(max_length=2)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        verbose_name_plural = "invoice allowances and charges"
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="cycle_allowance_position"),
            models.CheckConstraint(condition=Q(kind__in=["allowance", "charge"]), name="cycle_allowance_kind"),
            models.CheckConstraint(
                condition=Q(percent=None, base=None) | Q(percent__range=("0", "100"), base__isnull=False),
                name="cycle_allowance_percent_of_base",
            ),
            models.CheckConstraint(
                condition=Q(amount__range=("-1e15", "1e15"), tax_percent__range=("0", "100")),
                name="cycle_allowance_bounds",
            ),
        ]
        triggers = [*APPEND_ONLY, line_guards.ALLOWANCES_ON_DRAFTS_ONLY]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason}"


class InvoiceTax(models.Model):
    """Tax once per category and rate, on the sum of the net lines (EN 16931 BR-CO-17)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes")
    name = models.CharField(max_length=80)
    category = models.CharField(max_length=2)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    taxable = models.DecimalField(max_digits=20, decimal_places=4)
    tax = models.DecimalField(max_digits=20, decimal_places=4)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "invoice taxes"
        ordering = ["invoice", "category", "percent"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "category", "percent"], name="cycle_tax_once_per_rate"),
            models.CheckConstraint(
                condition=Q(
                    percent__range=("0", "100"), taxable__range=("-1e15", "1e15"), tax__range=("-1e15", "1e15")
                ),
                name="cycle_tax_bounds",
            ),
        ]
        triggers = [*APPEND_ONLY, line_guards.TAXES_ON_DRAFTS_ONLY]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f}%"
