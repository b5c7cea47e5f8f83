"""What is counted: meters, and the versions that say exactly what each measures from when on."""

from datetime import UTC, datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from metering.models.contracts import EventContract
from metering.models.guards import NO_TRUNCATE, differs
from metering.rules import filters, readings
from metering.rules.exact_json import ExactDecoder, ExactEncoder
from metering.rules.readings import Reading

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)  # no contract accepts an event from before
MEASURE = (
    "aggregation",
    "value_property",
    "operation_property",
    "is_recurring",
    "filters",
    "group_by",
    "negative_total",
    "tie_break",
    "decimals",
    "rounding",
)
WORDS = ("definition", "exclusions")


class Aggregation(models.TextChoices):
    SUM = "sum", "Sum"
    COUNT = "count", "Count"
    LAST = "last", "Last value"
    MAX = "max", "Highest value"
    MIN = "min", "Lowest value"
    AVERAGE = "average", "Average"
    UNIQUE = "unique_count", "Unique count"
    TIME_WEIGHTED = "time_weighted_sum", "Time-weighted sum"
    PRORATED_SUM = "prorated_sum", "Sum prorated by day"
    PRORATED_UNIQUE = "prorated_unique_count", "Unique count prorated by day"


class Meter(models.Model):
    """A billable unit: its name, its unit, the events it reads, and the one person who answers for it."""

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=40, help_text="Such as token, request or GB. Prices are per unit: it is fixed.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    contract = models.ForeignKey(EventContract, on_delete=models.PROTECT, related_name="meters")
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        triggers = [
            # Prices are per unit of it: a meter in another unit, or of other events, is another meter.
            pgtrigger.ReadOnly(name="subject_is_fixed", fields=["code", "contract", "unit"]),
            pgtrigger.Protect(name="meter_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class MeterVersion(models.Model):
    """What a meter measures from an instant on: proposed by one person, approved by the meter's owner, never changed.

    Of approved versions with one effective instant the highest counts. The first is made with its meter.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waits for the owner"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class NegativeTotal(models.TextChoices):
        NEGATIVE = "negative", "Stays negative"
        ZERO = "zero", "Counts as 0"

    class TieBreak(models.TextChoices):
        LAST_RECEIVED = "last_received", "The last received counts as later"
        FIRST_RECEIVED = "first_received", "The first received counts as later"

    class Rounding(models.TextChoices):
        HALF_UP = "half_up", "Half up"
        HALF_EVEN = "half_even", "Half to even"
        CEILING = "ceiling", "Up"
        FLOOR = "floor", "Down"

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    effective_at = models.DateTimeField(help_text="Windows are cut here where the measure changes.")
    definition = models.TextField(help_text="One or two sentences a customer would understand.")
    exclusions = models.TextField(blank=True, help_text="What is deliberately not counted.")
    aggregation = models.CharField(max_length=24, choices=Aggregation.choices)
    value_property = models.CharField(max_length=120, blank=True, help_text="Property of `data`; empty for count.")
    operation_property = models.CharField(
        max_length=120,
        blank=True,
        help_text="For unique counts: the property that says add or remove; empty: every event adds.",
    )
    is_recurring = models.BooleanField(default=False, help_text="What was reached before a window lasts into it.")
    filters = models.JSONField(
        default=list, encoder=ExactEncoder, decoder=ExactDecoder, help_text="Conditions of which all must hold."
    )
    group_by = models.JSONField(default=list, help_text="Properties that usage may be split by.")
    negative_total = models.CharField(
        max_length=10, choices=NegativeTotal.choices, default=NegativeTotal.NEGATIVE, help_text="Of a window."
    )
    tie_break = models.CharField(
        max_length=20,
        choices=TieBreak.choices,
        default=TieBreak.LAST_RECEIVED,
        help_text="Of events of one instant; then the greater id.",
    )
    decimals = models.PositiveSmallIntegerField(default=18, help_text="Of quantities that a division makes.")
    rounding = models.CharField(max_length=10, choices=Rounding.choices, default=Rounding.HALF_UP)
    reason = models.TextField(blank=True, help_text="Why it changes.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["meter", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["meter", "version"], name="metering_meter_version"),
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "approved", "rejected", "withdrawn"]),
                name="metering_meterversion_status",
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by=None, decided_at=None)
                | (~Q(status="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="metering_meterversion_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(version=1) | ~Q(decided_by=F("proposed_by")),
                name="metering_meterversion_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(version=1, effective_at=ALWAYS, status="approved")
                | Q(version__gt=1, effective_at__gt=ALWAYS),
                name="metering_meterversion_first",
            ),
            models.CheckConstraint(
                condition=Q(aggregation__in=Aggregation.values),
                name="metering_meterversion_aggregation",
            ),
            models.CheckConstraint(
                condition=Q(aggregation="count", value_property="") | (~Q(aggregation="count") & ~Q(value_property="")),
                name="metering_meterversion_value",
            ),
            models.CheckConstraint(
                condition=Q(operation_property="") | Q(aggregation__in=sorted(readings.UNIQUE)),
                name="metering_meterversion_operation",
            ),
            models.CheckConstraint(
                condition=(Q(is_recurring=False) & ~Q(aggregation__in=sorted(readings.MUST_RECUR)))
                | Q(is_recurring=True, aggregation__in=sorted(readings.MAY_RECUR)),
                name="metering_meterversion_recurring",
            ),
            models.CheckConstraint(
                condition=Q(
                    negative_total__in=["negative", "zero"],
                    tie_break__in=["last_received", "first_received"],
                    rounding__in=["half_up", "half_even", "ceiling", "floor"],
                    decimals__range=(0, 18),
                ),
                name="metering_meterversion_policies",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="content_is_fixed",
                fields=["meter", "version", "effective_at", *WORDS, *MEASURE, "reason", "proposed_by", "proposed_at"],
            ),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="proposed")
                & differs("status", "decided_by", "decided_at", "decision_reason"),
            ),
            # Who owns the meter at that moment is in another row, so a check constraint cannot ask.
            pgtrigger.Trigger(
                name="owner_approves",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status="proposed", new__status="approved"),
                func="""
                IF NEW.decided_by_id IS DISTINCT FROM (SELECT owner_id FROM metering_meter WHERE id = NEW.meter_id) THEN
                    RAISE EXCEPTION 'only the owner of a meter approves its versions'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="changes_are_proposed",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__version__gt=1) & ~pgtrigger.Q(new__status="proposed"),
            ),
            pgtrigger.Protect(name="version_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.meter.code} v{self.version}"

    def as_reading(self) -> Reading:
        """Say how it reads events, as the rules and the statements are given it."""
        content = {name: getattr(self, name) for name in MEASURE}
        content["filters"] = filters.parse_filters(content["filters"])
        content["group_by"] = tuple(content["group_by"])
        return Reading(**content)
