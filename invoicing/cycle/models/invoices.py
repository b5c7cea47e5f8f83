"""The invoice itself: figures fixed when drafted, a status that moves by one table, a number once it is final."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import Customer, Seller
from core import personal_keys
from core.models import PersonalKey
from invoicing.cycle.models import guards
from invoicing.cycle.models.cycles import BillingCycle, DocumentType, NumberSeries
from invoicing.policy.models import TriggerPolicy
from metering.models import Watermark

_UNDECIDED = Q(approved_by=None, approved_at=None, approved_hash="")
_UNNUMBERED = Q(series=None, running_number=None, number=None, finalized_at=None, issue_date=None, due_date=None)


class Invoice(models.Model):
    """A draft until its figures are approved and finalized; after that it never changes."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        HELD = "held", "Held"
        APPROVED = "approved", "Approved"
        FINAL = "final", "Final"
        DISCARDED = "discarded", "Discarded"

    class Kind(models.TextChoices):
        CYCLE = "cycle", "Whole period"
        INTERIM = "interim", "Part of a period, billed before its end"
        ADJUSTMENT = "adjustment", "Corrections alone"

    cycle = models.ForeignKey(BillingCycle, on_delete=models.PROTECT, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="+")
    watermark = models.ForeignKey(Watermark, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(
        TriggerPolicy,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The signed version that decided over it; empty only for invoices older than policies.",
    )
    kind = models.CharField(
        max_length=10, choices=Kind.choices, default=Kind.CYCLE, help_text="What it bills of its cycle."
    )
    credits = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="credited_by",
        help_text="On a credit note that somebody asked for: the invoice that it gives back, in full or in part.",
    )
    document_type = models.CharField(
        max_length=20,
        choices=DocumentType.choices,
        default=DocumentType.INVOICE,
        help_text="A total below 0 makes a credit note; its figures are stored with their sign, and printed without.",
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    revision = models.PositiveIntegerField(
        default=0, help_text="Counts the moves; PostgreSQL refuses a write that did not see the last one."
    )
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    parties = models.JSONField(
        help_text="Names, addresses and tax ids of both sides, as they were when drafted; the customer's are sealed."
    )
    personal_key = models.ForeignKey(
        PersonalKey,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whom it was issued to lies under it, here, in the PDF and in packs: destroyed when no law keeps it.",
    )
    terms_days = models.PositiveSmallIntegerField()
    allowances = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="Taken off the lines.")
    charges = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="Added to the lines.")
    subtotal = models.DecimalField(max_digits=20, decimal_places=4)
    tax = models.DecimalField(max_digits=20, decimal_places=4)
    total = models.DecimalField(max_digits=20, decimal_places=4)
    prepaid = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="Paid in advance (BT-113).")
    payable_rounding = models.DecimalField(
        max_digits=20, decimal_places=4, default=0, help_text="What rounds the amount to be paid (BT-114)."
    )
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of every figure and fact on the invoice.")
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_hash = models.CharField(max_length=64, blank=True)
    series = models.ForeignKey(NumberSeries, null=True, on_delete=models.PROTECT, related_name="invoices")
    running_number = models.PositiveBigIntegerField(null=True)
    number = models.CharField(max_length=60, null=True, unique=True)  # noqa: DJ001  many drafts without one, none shared
    finalized_at = models.DateTimeField(null=True)
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer", "status"], name="cycle_invoice_customer")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "held", "approved", "final", "discarded"]), name="cycle_invoice_status"
            ),
            models.CheckConstraint(condition=Q(period_start__lt=F("period_end")), name="cycle_invoice_period"),
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(kind="cycle") & ~Q(status="discarded"),
                name="cycle_invoice_one_per_cycle",
            ),
            # While an interim invoice is undecided nobody knows what the period's own has to take off, nor the next.
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(kind__in=["cycle", "interim"], status__in=["draft", "held", "approved"]),
                name="cycle_invoice_one_undecided",
            ),
            models.CheckConstraint(condition=Q(kind__in=["cycle", "interim", "adjustment"]), name="cycle_invoice_kind"),
            models.CheckConstraint(
                condition=Q(credits=None) | Q(document_type="credit_note", kind="adjustment"),
                name="cycle_invoice_credits",
            ),
            models.CheckConstraint(
                condition=Q(document_type="invoice") | Q(document_type="credit_note", total__lt=0),
                name="cycle_invoice_document_type",
            ),
            models.UniqueConstraint(fields=["series", "running_number"], name="cycle_invoice_number_once"),
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="cycle_invoice_adds_up"),
            models.CheckConstraint(
                condition=Q(
                    status="final",
                    series__isnull=False,
                    running_number__isnull=False,
                    number__isnull=False,
                    finalized_at__isnull=False,
                    issue_date__isnull=False,
                    due_date__isnull=False,
                )
                | (~Q(status="final") & _UNNUMBERED),
                name="cycle_invoice_number_only_when_final",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["approved", "final"],
                    approved_by__isnull=False,
                    approved_at__isnull=False,
                    approved_hash=F("content_hash"),
                )
                | (Q(status__in=["draft", "held", "discarded"]) & _UNDECIDED),
                name="cycle_invoice_approved_as_it_is",
            ),
            models.CheckConstraint(
                condition=Q(drafted_by=None) | Q(approved_by=None) | ~Q(drafted_by=F("approved_by")),
                name="cycle_invoice_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(subtotal__range=("-1e15", "1e15"), tax__range=("-1e15", "1e15")),
                name="cycle_invoice_bounds",
            ),
            models.CheckConstraint(
                condition=Q(
                    allowances__range=("-1e15", "1e15"),
                    charges__range=("-1e15", "1e15"),
                    prepaid__range=("0", "1e15"),
                    payable_rounding__range=("-1e6", "1e6"),
                ),
                name="cycle_invoice_payable_bounds",
            ),
        ]
        triggers = guards.INVOICE_GUARDS

    def __str__(self) -> str:
        return self.number or f"Draft {self.pk}"

    @property
    def opened_parties(self) -> dict[str, dict[str, str]]:
        """Both sides as they can be read; "erased on …" where the customer's key is gone."""
        opened: dict[str, dict[str, str]] = personal_keys.open_within(self.parties)
        return opened

    @property
    def payable(self) -> Decimal:
        """What is to be paid (BT-115); below zero it is in the customer's favour."""
        return self.total - self.prepaid + self.payable_rounding
