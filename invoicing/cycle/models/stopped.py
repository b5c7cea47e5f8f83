"""What stopped outside of a close: interim drafts that failed, and customers whose figures contradict an invariant."""

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import Customer
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.pricing.models import Subscription


class StoppedInterim(models.Model):
    """A subscription whose interim draft failed: why, since when, how often it was tried, and when it went on."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60, help_text="Stable name of what went wrong.")
    reason = models.TextField(help_text="In a sentence, and what to do about it.")
    stopped_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1, help_text="How often it failed.")
    last_tried_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, help_text="When an attempt had nothing against it any more.")

    class Meta:
        ordering = ["-id"]
        verbose_name = "interim draft that failed"
        verbose_name_plural = "interim drafts that failed"
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(left_at=None), name="cycle_stopped_interim_once"
            ),
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(reason="") & Q(attempts__gte=1), name="cycle_stopped_interim_reason"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="what_stopped_is_fixed", fields=["customer", "subscription", "stopped_at"]),
            pgtrigger.Protect(
                name="left_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__left_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.customer.legal_name}, since {self.stopped_at:%Y-%m-%d}"


class Offence(models.Model):
    """What contradicts an invariant, and whom it concerns: nothing is issued to a customer who has an open one.

    Only a check that no longer finds it clears it; two people may agree that it is a false alarm (`FalseAlarm`).
    """

    number = models.PositiveIntegerField(help_text="Of the invariant.")
    name = models.CharField(max_length=200, help_text="What must hold.")
    offender = models.TextField(help_text="What contradicts it, as the check shows it.")
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty where it names nobody."
    )
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When a check last found it.")
    cleared_at = models.DateTimeField(null=True, help_text="When a check no longer found it.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["customer"], condition=Q(cleared_at=None), name="cycle_offence_open")]
        constraints = [models.CheckConstraint(condition=~Q(name="") & ~Q(offender=""), name="cycle_offence_words")]
        triggers = [
            pgtrigger.ReadOnly(
                name="what_was_found_is_fixed", fields=["number", "name", "offender", "customer", "invoice", "found_at"]
            ),
            pgtrigger.Protect(
                name="cleared_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__cleared_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.offender}"[:200]
