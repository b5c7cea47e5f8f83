"""Rated lines: a quantity, the price version in force, the computation and the amount."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY
from invoicing.pricing.models import Charge, FeeProgramVersion, PlanVersion, PriceVersion, Subscription
from invoicing.rating.rules import steps
from metering.models import AggregationSnapshot

ROUNDED_TOGETHER = "Rounded together with the other lines"


class RatedLine(models.Model):
    """What one charge costs in one segment; a segment is a stretch with one plan and one price version."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    price_version = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="+")
    fee_version = models.ForeignKey(
        FeeProgramVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The figures in force, where the price follows a fee program.",
    )
    snapshot = models.OneToOneField(
        AggregationSnapshot,
        null=True,
        on_delete=models.PROTECT,
        related_name="rated_line",
        help_text="Empty: flat fee.",
    )
    segment_start = models.DateTimeField()
    segment_end = models.DateTimeField()
    effective_at = models.DateTimeField(help_text="Since when the price version was in force.")
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    share_part = models.BigIntegerField(
        default=1, help_text="Numerator of a fee's share of its period, in days or microseconds."
    )
    share_whole = models.BigIntegerField(default=1)
    share_unit = models.CharField(max_length=10, default="day")
    computation = models.JSONField(help_text="How the amount came about, step by step; numbers as decimal strings.")
    part_count = models.BigIntegerField(
        null=True, help_text="Into how many parts the usage was split; empty where the price needs the quantity alone."
    )
    parts_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 over all that the parts say, in order."
    )
    currency = models.CharField(max_length=3)
    amount_exact = models.DecimalField(max_digits=70, decimal_places=50, help_text="Before its one rounding.")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    rounding_level = models.CharField(
        max_length=10, default="line", help_text="By itself, or together with the other lines of its invoice."
    )
    rounding = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        default=0,
        help_text="What rounding together gave or took, beside the amount rounded half up by itself.",
    )
    rated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(segment_start__lt=F("segment_end")),
                name="rating_line_segment",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__range=("-1e15", "1e15"),
                    amount_exact__range=("-1e15", "1e15"),
                    quantity__range=("-1e15", "1e15"),
                ),
                name="rating_line_bounds",
            ),
            models.CheckConstraint(
                condition=Q(share_whole__gt=0, share_part__range=(0, F("share_whole"))), name="rating_line_share"
            ),
            models.CheckConstraint(
                condition=Q(rounding_level="line", rounding=0) | Q(rounding_level="invoice", rounding__range=(-1, 1)),
                name="rating_line_rounding",
            ),
            models.CheckConstraint(
                condition=Q(part_count=None, parts_digest="") | (Q(part_count__gte=0) & ~Q(parts_digest="")),
                name="rating_line_parts",
            ),
        ]
        indexes = [models.Index(fields=["subscription", "segment_start"], name="rating_line_segment_idx")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.charge} {self.amount} {self.currency}"

    @property
    def told_steps(self) -> list[dict[str, Any]]:
        """The computation as people read it: with what rounding together gave or took."""
        if not self.rounding:
            return list(self.computation)
        return [*self.computation, steps.amount_step(ROUNDED_TOGETHER, amount=self.rounding).as_json()]


class LineGround(models.Model):
    """One of the lines that a line of a whole plan stands on: it rates what these come to."""

    line = models.ForeignKey(RatedLine, on_delete=models.PROTECT, related_name="grounds")
    ground = models.ForeignKey(RatedLine, on_delete=models.PROTECT, related_name="carries")
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "ground"], name="rating_ground_once"),
            models.CheckConstraint(condition=~Q(line=F("ground")), name="rating_ground_other"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.line} on {self.ground}"
