"""A refund that needs a second person, from the question to the answer."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.payments.models.payments import Payment, PaymentTransition

PERSON = settings.AUTH_USER_MODEL
DECISIONS = [("confirmed", "Confirmed"), ("withdrawn", "Withdrawn")]


class RefundRequest(models.Model):
    """Somebody in finance says that money goes back; above the amount of the policy a colleague confirms it first."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refund_requests")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    fee = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    happened_at = models.DateTimeField()
    reason = OpenedTextField()
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asking_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=DECISIONS, blank=True)
    decided_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    transition = models.OneToOneField(PaymentTransition, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__range=("0.0001", "1e15"), fee__range=("0", "1e15")), name="payments_refund_bounds"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="payments_refund_reason"),
            models.CheckConstraint(
                condition=Q(decision="", decided_by=None, decided_at=None, transition=None)
                | (
                    Q(decision="confirmed", decided_at__isnull=False, transition__isnull=False)
                    & ~Q(decided_by=F("asked_by"))
                )
                | Q(decision="withdrawn", decided_by__isnull=False, decided_at__isnull=False, transition=None),
                name="payments_refund_four_eyes",
            ),
            models.UniqueConstraint(fields=["payment"], condition=Q(decision=""), name="payments_refund_one_open"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="question_is_fixed",
                fields=["payment", "amount", "fee", "happened_at", "reason", "asked_by", "asked_at", "asking_entry"],
            ),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__decision="")
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"Refund of {self.payment}"
