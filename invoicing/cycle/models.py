"""Billing cycles, invoices with their lines, taxes, holds, breaks and transitions."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import Customer, Seller
from core.models import APPEND_ONLY, AuditEntry
from invoicing.pricing.models import Subscription
from invoicing.rating.models import RatedLine
from metering.models import Watermark

STATUSES = ["draft", "held", "approved", "final", "discarded"]


class NumberSeries(models.Model):
    """The running number of one seller's invoices; taken only inside the finalizing transaction, so it has no gap."""

    seller = models.OneToOneField(
        Seller, on_delete=models.PROTECT, related_name="series"
    )
    prefix = models.CharField(max_length=20)
    next_number = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.prefix} (next {self.next_number})"


class BillingCycle(models.Model):
    """One closed period of one subscription; made once, whatever is repeated after it."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="cycles"
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_start"], name="cycle_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(period_start__lt=F("period_end")), name="cycle_period"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.customer.code} {self.period_start:%Y-%m-%d} to {self.period_end:%Y-%m-%d}"


class Invoice(models.Model):
    """A draft until its figures are approved and finalized; after that it never changes."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        HELD = "held", "Held"
        APPROVED = "approved", "Approved"
        FINAL = "final", "Final"
        DISCARDED = "discarded", "Discarded"

    cycle = models.ForeignKey(
        BillingCycle, on_delete=models.PROTECT, related_name="invoices"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="invoices"
    )
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    watermark = models.ForeignKey(Watermark, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.DRAFT
    )
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    parties = models.JSONField(
        help_text="Names, addresses and tax ids of both sides, as they were when drafted."
    )
    terms_days = models.PositiveSmallIntegerField()
    subtotal = models.DecimalField(max_digits=20, decimal_places=4)
    tax = models.DecimalField(max_digits=20, decimal_places=4)
    total = models.DecimalField(max_digits=20, decimal_places=4)
    content_hash = models.CharField(
        max_length=64, help_text="SHA-256 of every figure and fact on the invoice."
    )
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    drafted_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_hash = models.CharField(max_length=64, blank=True)
    series = models.ForeignKey(
        NumberSeries, null=True, on_delete=models.PROTECT, related_name="invoices"
    )
    running_number = models.PositiveBigIntegerField(null=True)
    number = models.CharField(max_length=60, null=True, unique=True)
    finalized_at = models.DateTimeField(null=True)
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=STATUSES), name="cycle_invoice_status"
            ),
            models.UniqueConstraint(
                fields=["cycle"],
                condition=~Q(status="discarded"),
                name="cycle_invoice_one_per_cycle",
            ),
            models.UniqueConstraint(
                fields=["series", "running_number"], name="cycle_invoice_number_once"
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") + F("tax")),
                name="cycle_invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        status="final",
                        running_number__isnull=False,
                        number__isnull=False,
                        finalized_at__isnull=False,
                    )
                    | (
                        ~Q(status="final")
                        & Q(running_number=None, number=None, finalized_at=None)
                    )
                ),
                name="cycle_invoice_number_only_when_final",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        status__in=["approved", "final"],
                        approved_by__isnull=False,
                        approved_hash=F("content_hash"),
                    )
                    | Q(
                        status__in=["draft", "held", "discarded"],
                        approved_by=None,
                        approved_hash="",
                    )
                ),
                name="cycle_invoice_approved_as_it_is",
            ),
            models.CheckConstraint(
                condition=Q(drafted_by=None)
                | Q(approved_by=None)
                | ~Q(drafted_by=F("approved_by")),
                name="cycle_invoice_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(
                    subtotal__range=("-1e15", "1e15"), tax__range=("-1e15", "1e15")
                ),
                name="cycle_invoice_bounds",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="final_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="final"),
            ),
            pgtrigger.ReadOnly(
                name="figures_are_fixed",
                fields=[
                    "cycle",
                    "customer",
                    "seller",
                    "watermark",
                    "currency",
                    "period_start",
                    "period_end",
                    "parties",
                    "terms_days",
                    "subtotal",
                    "tax",
                    "total",
                    "content_hash",
                    "drafted_by",
                    "drafted_at",
                ],
            ),
            pgtrigger.FSM(
                name="status_moves",
                field="status",
                transitions=[
                    ("draft", "held"),
                    ("held", "draft"),
                    ("draft", "approved"),
                    ("approved", "held"),
                    ("approved", "draft"),
                    ("approved", "final"),
                    ("draft", "discarded"),
                    ("held", "discarded"),
                ],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return self.number or f"Draft {self.pk}"


class InvoiceLine(models.Model):
    """One rated segment on an invoice; lines are written with their draft and never changed."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    rated_line = models.OneToOneField(
        RatedLine, on_delete=models.PROTECT, related_name="invoice_line"
    )
    description = models.CharField(max_length=200)
    meter_code = models.CharField(max_length=60, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    segment_start = models.DateTimeField()
    segment_end = models.DateTimeField()
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    unit_price = models.CharField(
        max_length=80,
        blank=True,
        help_text="As printed; empty where tiers set several.",
    )
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    tax_category = models.CharField(max_length=2)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)
    adjusts = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="adjusted_by"
    )

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="cycle_line_position"
            ),
            models.CheckConstraint(
                condition=Q(amount__range=("-1e15", "1e15")), name="cycle_line_bounds"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.invoice} line {self.position}"


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
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "category", "percent"],
                name="cycle_tax_once_per_rate",
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f}%"


class InvoiceTransition(models.Model):
    """One move of an invoice from a status to the next: who, when, why."""

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="transitions"
    )
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)
    moved_at = models.DateTimeField()
    audit_entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} → {self.to_status}"


class TieOut(models.Model):
    """The recount of one draft: raw accepted = aggregated = rated, or the breaks that say where not."""

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="tie_outs"
    )
    raw_events = models.BigIntegerField()
    aggregated_events = models.BigIntegerField()
    rated_lines = models.PositiveIntegerField()
    is_tied = models.BooleanField()
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return "ties" if self.is_tied else "does not tie"


class Break(models.Model):
    """A named difference between two stages; it stops the invoice until it is repaired or accepted with a reason."""

    class Name(models.TextChoices):
        RAW_AGGREGATED = "raw_not_aggregated", "Raw events and snapshot differ"
        AGGREGATED_RATED = "aggregated_not_rated", "Snapshot and rated line differ"
        AMOUNT = (
            "amount_not_reproduced",
            "The amount does not follow from quantity and price",
        )
        UNPRICED = "usage_without_price", "Usage that no price of the plan covers"

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="breaks"
    )
    tie_out = models.ForeignKey(TieOut, on_delete=models.PROTECT, related_name="breaks")
    name = models.CharField(max_length=30, choices=Name.choices)
    detail = models.CharField(max_length=400)
    facts = models.JSONField(help_text="Both sides, in figures.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    closing_reason = models.TextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_name_display()


class Hold(models.Model):
    """Why an invoice waits, and who let it go."""

    class Cause(models.TextChoices):
        BREAK = "break", "The stages do not tie"
        PERSON = "person", "Placed by a person"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="holds")
    cause = models.CharField(max_length=10, choices=Cause.choices)
    reason = models.TextField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    placed_at = models.DateTimeField()
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    release_reason = models.TextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(released_at=None),
                name="cycle_hold_one_open",
            ),
            models.CheckConstraint(
                condition=Q(placed_by=None)
                | Q(released_by=None)
                | ~Q(placed_by=F("released_by")),
                name="cycle_hold_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
