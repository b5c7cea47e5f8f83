"""Which periods were closed, and where the next invoice number comes from."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer, Seller
from core.models import APPEND_ONLY
from invoicing.pricing.models import Subscription
from metering.models import IdRange, TimeRange


class DocumentType(models.TextChoices):
    """Which document is issued: EN 16931 type 380 or 381."""

    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"


class NumberSeries(models.Model):
    """The running number of one seller's documents of one type; taken only when one is issued, so it has no gap."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="series")
    document_type = models.CharField(max_length=20, choices=DocumentType.choices, default=DocumentType.INVOICE)
    prefix = models.CharField(max_length=20)
    next_number = models.PositiveBigIntegerField(default=1)
    last_taken_at = models.DateTimeField(
        null=True, help_text="When the last number was taken; a later number never has an earlier instant."
    )

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(fields=["seller", "document_type"], name="cycle_series_once_per_type"),
            models.CheckConstraint(
                condition=Q(document_type__in=["invoice", "credit_note"]), name="cycle_series_document_type"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="one_number_at_a_time",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.next_number <> OLD.next_number + 1 OR NEW.prefix <> OLD.prefix"
                    " OR NEW.document_type <> OLD.document_type"
                    " OR NEW.last_taken_at IS NULL OR NEW.last_taken_at < OLD.last_taken_at"
                ),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} (next {self.next_number})"


class BillingCycle(models.Model):
    """One closed period of one subscription; made once, whatever is repeated after it."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="cycles")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "period_start"], name="cycle_once_per_period"),
            models.CheckConstraint(condition=Q(period_start__lt=F("period_end")), name="cycle_period"),
            ExclusionConstraint(
                name="cycle_no_overlap",
                expressions=[
                    (IdRange("subscription"), RangeOperators.EQUAL),
                    (TimeRange("period_start", "period_end"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.customer.code} {self.period_start:%Y-%m-%d} to {self.period_end:%Y-%m-%d}"
