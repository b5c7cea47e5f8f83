"""What one subscription has of its own: how many of what is charged per period, and prices kept for a time."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from accounts import validators
from core import knowing
from core.models import APPEND_ONLY
from core.sealed_fields import OpenedCharField
from invoicing.pricing.models.agreements import Plan, Subscription
from invoicing.pricing.models.proposals import INSTANTS, NO_TRUNCATE
from metering.models import IdRange, TimeRange


class SubscriptionQuantity(models.Model):
    """How many of one charge without a meter, such as seats, from an instant on; before the first there is one.

    It names the charge by code, so it stays when the next plan charges for the same. Of two with one effective instant
    the one entered last counts.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="quantities")
    charge_code = models.CharField(max_length=60, validators=[validators.CODE])
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    effective_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["subscription", "charge_code", "effective_at", "id"]
        verbose_name_plural = "subscription quantities"
        constraints = [
            models.CheckConstraint(condition=Q(quantity__range=("0", "1e15")), name="pricing_quantity_range"),
            models.CheckConstraint(condition=Q(effective_at__range=INSTANTS), name="pricing_quantity_instant"),
        ]
        triggers = [*APPEND_ONLY, knowing.agreed_after_readers(field="created_at")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} {self.charge_code} from {self.effective_at:%Y-%m-%d}"


class KeptPrices(models.Model):
    """A stretch in which a subscription keeps the terms and prices of a plan as they were at its start.

    What comes into force inside it counts from its end on.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="kept_prices")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    released_because = OpenedCharField(
        max_length=300, blank=True, help_text="Why they ended, or will end, earlier than agreed."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["subscription", "starts_at"]
        verbose_name_plural = "kept prices"
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="pricing_kept_span"),
            models.CheckConstraint(condition=Q(starts_at__range=INSTANTS), name="pricing_kept_start"),
            models.CheckConstraint(condition=Q(ends_at__range=INSTANTS), name="pricing_kept_end"),
            ExclusionConstraint(
                name="pricing_kept_no_overlap",
                expressions=[
                    (IdRange("subscription"), RangeOperators.EQUAL),
                    (IdRange("plan"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="start_is_fixed", fields=["subscription", "plan", "starts_at", "created_by", "created_at"]
            ),
            knowing.agreed_after_readers(field="created_at"),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"prices of {self.starts_at:%Y-%m-%d} until {self.ends_at:%Y-%m-%d}"
