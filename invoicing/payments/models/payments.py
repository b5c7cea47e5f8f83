"""A payment of a final invoice, its steps, and what of it was more than was due."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedCharField, OpenedTextField
from invoicing.cycle.models import Invoice
from invoicing.ledger.models import JournalEntry
from invoicing.payments.models import guards
from invoicing.payments.models.events import GatewayEvent
from invoicing.payments.rules.lifecycle import Status, Step

PERSON = settings.AUTH_USER_MODEL
STATUSES = [(str(status), str(status).capitalize()) for status in Status]
STEPS = [(str(step), str(step).replace("_", " ").capitalize()) for step in Step]
NOT_NEGATIVE = ("0", "1e15")


class Payment(models.Model):
    """Money for one final invoice, in full or in part. Its figures are fixed; what becomes of it are steps."""

    class Method(models.TextChoices):
        BANK_TRANSFER = "bank_transfer", "Bank transfer"
        CARD = "card", "Card"
        DIRECT_DEBIT = "direct_debit", "Direct debit"
        OTHER = "other", "Something else"

    class Gateway(models.TextChoices):
        NONE = "", "None: recorded by a person"
        STRIPE = "stripe", "Stripe"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=20, decimal_places=4, help_text="What was to be paid by it.")
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=20, choices=Method.choices)
    reference = OpenedCharField(
        max_length=200, blank=True, help_text="As the statement says it, under the customer's key."
    )
    reference_mark = models.CharField(
        max_length=64, blank=True, help_text="Keyed hash of the reference, so that it is recorded once per invoice."
    )
    gateway = models.CharField(max_length=10, choices=Gateway.choices, blank=True)
    gateway_id = models.CharField(max_length=255, blank=True, help_text="What the gateway calls this payment.")
    status = models.CharField(max_length=10, choices=STATUSES, default=Status.PENDING)
    revision = models.PositiveIntegerField(default=1, help_text="Counts the steps.")
    received = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="What came in.")
    refunded = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="What of it went back.")
    contested = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="In an open dispute.")
    lost = models.DecimalField(max_digits=20, decimal_places=4, default=0, help_text="In a dispute that was lost.")
    created_by = models.ForeignKey(
        PERSON, null=True, on_delete=models.PROTECT, related_name="+", help_text="None where a gateway told it."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=list(Status)), name="payments_payment_status"),
            models.CheckConstraint(condition=Q(amount__range=("0.0001", "1e15")), name="payments_payment_amount"),
            models.CheckConstraint(
                condition=Q(
                    received__range=NOT_NEGATIVE,
                    refunded__range=NOT_NEGATIVE,
                    contested__range=NOT_NEGATIVE,
                    lost__range=NOT_NEGATIVE,
                    received__gte=F("refunded") + F("contested") + F("lost"),
                    amount__gte=F("received"),
                ),
                name="payments_payment_figures",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "errored"], received=0)
                | Q(status="settled", received__gt=0, contested=0, lost=0, refunded__lt=F("received"))
                | Q(status="refunded", received__gt=0, contested=0, lost=0, refunded=F("received"))
                | (Q(status="chargeback", received__gt=0) & (Q(contested__gt=0, lost=0) | Q(contested=0, lost__gt=0))),
                name="payments_payment_stands",
            ),
            models.CheckConstraint(
                condition=(Q(gateway="", gateway_id="", created_by__isnull=False) & ~Q(reference_mark=""))
                | (Q(gateway="stripe") & ~Q(gateway_id="")),
                name="payments_payment_known_by",
            ),
            models.UniqueConstraint(
                fields=["gateway", "gateway_id"], condition=~Q(gateway=""), name="payments_payment_once_per_gateway"
            ),
            models.UniqueConstraint(
                fields=["invoice", "reference_mark"], condition=Q(gateway=""), name="payments_payment_reference_once"
            ),
        ]
        triggers = guards.PAYMENT_GUARDS

    def __str__(self) -> str:
        return f"Payment {self.pk}"

    @property
    def kept(self) -> Decimal:
        """What came in and did not go back."""
        return self.received - self.refunded


class PaymentObject(models.Model):
    """What else a gateway calls this payment, such as a charge or a dispute; each belongs to one payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="objects_known")
    kind = models.CharField(max_length=20, help_text="charge, dispute")
    external_id = models.CharField(max_length=255)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "external_id"], name="payments_object_once"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.external_id


class PaymentTransition(models.Model):
    """One step of a payment, for ever: when it happened, when it was recorded, by whom or what, and why."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="transitions")
    revision = models.PositiveIntegerField()
    step = models.CharField(max_length=20, choices=STEPS)
    from_status = models.CharField(max_length=10, choices=STATUSES, blank=True)
    to_status = models.CharField(max_length=10, choices=STATUSES)
    amount = models.DecimalField(max_digits=20, decimal_places=4, help_text="What this step is about; 0 for none.")
    fee = models.DecimalField(
        max_digits=20, decimal_places=4, default=0, help_text="What was kept for it; below 0 what was given back."
    )
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    event = models.ForeignKey(GatewayEvent, null=True, on_delete=models.PROTECT, related_name="transitions")
    reason = OpenedTextField(blank=True)
    entry = models.OneToOneField(JournalEntry, null=True, on_delete=models.PROTECT, related_name="+")
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["payment", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "revision"], name="payments_transition_revision"),
            models.CheckConstraint(
                condition=Q(amount__range=NOT_NEGATIVE, fee__range=("-1e15", "1e15")), name="payments_transition_bounds"
            ),
            models.CheckConstraint(
                condition=Q(step__in=["recorded", "failed"], amount=0, fee=0, entry=None)
                | Q(step__in=["settled", "refunded", "disputed", "dispute_won", "dispute_lost"], entry__isnull=False),
                name="payments_transition_books",
            ),
            models.CheckConstraint(
                condition=Q(actor__isnull=False, event=None) | Q(actor=None, event__isnull=False),
                name="payments_transition_by_one",
            ),
        ]
        triggers = [*APPEND_ONLY, guards.FOLLOWS_THE_TABLE]

    def __str__(self) -> str:
        return f"{self.payment}: {self.from_status or 'nothing'} → {self.to_status}"


class Overpayment(models.Model):
    """What of a settled payment was more than was due on its invoice; it stands in the customer's favour."""

    transition = models.OneToOneField(PaymentTransition, on_delete=models.PROTECT, related_name="overpayment")
    amount = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__range=("0.0001", "1e15")), name="payments_overpayment_amount")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.amount} too much by {self.transition.payment}"
