"""The recount of a draft, and the breaks it found."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from core.models import APPEND_ONLY
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.rules import breaks


class TieOut(models.Model):
    """The recount of one draft: raw accepted = aggregated = rated, or the breaks that say where not."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="tie_outs")
    raw_events = models.BigIntegerField(help_text="Counted afresh from the raw events, once per meter that reads them.")
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
        AMOUNT = "amount_not_reproduced", "The amount does not follow from quantity and price"
        UNPRICED = "usage_without_price", "Usage that no price of the plan covers"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="breaks")
    tie_out = models.ForeignKey(TieOut, on_delete=models.PROTECT, related_name="breaks")
    name = models.CharField(max_length=30, choices=Name.choices, help_text="Which two stages differ.")
    kind = models.CharField(
        max_length=20,
        choices=breaks.CLASSES,
        blank=True,
        default="",
        help_text="What class of trouble it is; empty only on breaks older than classes.",
    )
    detail = models.CharField(max_length=400)
    facts = models.JSONField(help_text="Both sides, in figures.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closing_reason = OpenedTextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    name__in=[
                        "raw_not_aggregated",
                        "aggregated_not_rated",
                        "amount_not_reproduced",
                        "usage_without_price",
                    ]
                ),
                name="cycle_break_name",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["", *(kind for kind, _ in breaks.CLASSES)]), name="cycle_break_kind"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, closing_reason="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(closing_reason="")),
                name="cycle_break_closed_with_reason",
            ),
        ]
        triggers = [
            guards.NOT_ON_CLOSED_INVOICES,
            guards.PAUSES_ITS_CYCLE,
            pgtrigger.ReadOnly(
                name="finding_is_fixed", fields=["invoice", "tie_out", "name", "kind", "detail", "facts", "opened_at"]
            ),
            pgtrigger.Protect(
                name="closed_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__closed_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.get_name_display()


class BreakEvent(models.Model):
    """An event that differs: as it was acknowledged on one side, as it lies there now on the other."""

    class Difference(models.TextChoices):
        TWICE = "twice", "Stands there twice"
        GONE = "gone", "Acknowledged, and gone"
        ALTERED = "altered", "Says something else than was acknowledged"
        UNKNOWN = "not_acknowledged", "Stands there, and was never acknowledged"
        AFTER = "after_the_count", "Received after it was counted"
        UNPRICED = "without_price", "No price covers it"

    of_break = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="events")
    position = models.PositiveIntegerField()
    difference = models.CharField(max_length=20, choices=Difference.choices)
    seq = models.BigIntegerField(help_text="Its number of capture.")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    channel = models.CharField(max_length=10, blank=True, help_text="How it came in.")
    kept_fingerprint = models.CharField(max_length=64, blank=True, help_text="Of what was acknowledged.")
    raw_fingerprint = models.CharField(max_length=64, blank=True, help_text="Of what lies there.")

    class Meta:
        ordering = ["of_break", "position"]
        constraints = [models.UniqueConstraint(fields=["of_break", "position"], name="cycle_break_event_position")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"
