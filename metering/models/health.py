"""How well usage comes in, by minute, and what was noticed about it."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.models import APPEND_ONLY
from core.sealed_fields import OpenedTextField
from metering.models.guards import NO_TRUNCATE


class ArrivalStream(models.Model):
    """Events of one type from one source, and the minutes in which they came first and last."""

    source = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=200, blank=True)
    first_minute = models.DateTimeField()
    last_minute = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "event_type"], name="metering_stream_once")]
        indexes = [models.Index(fields=["last_minute"], name="metering_stream_last")]

    def __str__(self) -> str:
        return f"{self.event_type or 'no type'} from {self.source or 'no source'}"


class ArrivalMinute(models.Model):
    """What came in from one stream in one minute; without a stream, from all of them together."""

    stream = models.ForeignKey(ArrivalStream, null=True, on_delete=models.PROTECT, related_name="minutes")
    minute = models.DateTimeField()
    accepted = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField()
    quarantined = models.PositiveIntegerField()
    lag_p50 = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    lag_p95 = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    lag_max = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    lag_count = models.PositiveIntegerField(
        null=True, help_text="Of how many events the lag is; empty where it was recorded before this was counted."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "minute"], nulls_distinct=False, name="metering_arrival_minute_once"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="metering_arrival_minute")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.stream or 'all'} {self.minute:%Y-%m-%d %H:%M}"


class ArrivalProgress(models.Model):
    """Up to where the minutes are recorded; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    recorded_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="metering_arrival_progress_one")]

    def __str__(self) -> str:
        return f"recorded until {self.recorded_until:%Y-%m-%d %H:%M}"


class HealthPolicy(models.Model):
    """When a change in what comes in is called a shift. The newest version counts; none is ever changed."""

    version = models.PositiveIntegerField(unique=True)
    window_minutes = models.PositiveIntegerField(
        "minutes that are judged", help_text="The last minutes, which are held against the ones before."
    )
    baseline_minutes = models.PositiveIntegerField(
        "minutes they are held against",
        help_text="How many minutes before them; only those in which the source sent something count.",
    )
    false_alarm_rate = models.DecimalField(
        "chance of a false alarm",
        max_digits=12,
        decimal_places=10,
        help_text="Of one test of one source and type in one minute: 0.0000001 is one in ten million.",
    )
    events_min = models.PositiveIntegerField(
        "fewest events",
        help_text="With fewer, rates are not judged; a slow source is judged over longer, until it has sent so many.",
    )
    share_shift_min = models.DecimalField(
        "smallest change of a rate",
        max_digits=5,
        decimal_places=4,
        help_text="As a part of one: 0.02 is two of a hundred. Smaller changes are no shift, however certain.",
    )
    lag_shift_min = models.DecimalField(
        "smallest rise of the lag, in seconds",
        max_digits=10,
        decimal_places=3,
        help_text="Smaller rises are no shift, however certain.",
    )
    silence_days = models.PositiveIntegerField(
        "days of known pauses", help_text="How far back the pauses of a source are looked at."
    )
    silence_minutes_min = models.PositiveIntegerField(
        "shortest silence, in minutes", help_text="A shorter one is never called a silence."
    )
    gaps_min = models.PositiveIntegerField(
        "fewest pauses", help_text="With fewer pauses, the longest of them says nothing yet."
    )
    rhythm_weeks = models.PositiveIntegerField(
        "weeks with the same hours",
        default=4,
        help_text="A source is missed where it sent in these hours of each of so many weeks before; 0: never for that.",
    )
    reason = models.TextField(help_text="Why it was made.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "health policies"
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    window_minutes__range=(1, 60),
                    baseline_minutes__range=(10, 1440),
                    false_alarm_rate__gt=0,
                    false_alarm_rate__lte=Decimal("0.01"),
                    share_shift_min__range=(0, 1),
                    silence_days__range=(1, 31),
                    gaps_min__gte=1,
                    rhythm_weeks__lte=8,
                )
                & Q(baseline_minutes__gt=F("window_minutes")),
                name="metering_health_policy_usable",
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"version {self.version}"


class ReviewItem(models.Model):
    """Something about a stream that a person is to look at: opened once for as long as it goes on."""

    class Kind(models.TextChoices):
        ACCEPTANCE_FELL = "acceptance_fell", "Acceptance rate fell"
        DUPLICATES_ROSE = "duplicates_rose", "Duplicates rose"
        DUPLICATES_FELL = "duplicates_fell", "Duplicates fell"
        LAG_ROSE = "lag_rose", "Lag rose"
        SILENT = "silent", "Source fell silent"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        TAKEN = "taken", "Being looked at"
        RESOLVED = "resolved", "Resolved"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    stream = models.ForeignKey(ArrivalStream, on_delete=models.PROTECT, related_name="review_items")
    policy = models.ForeignKey(HealthPolicy, on_delete=models.PROTECT, related_name="+")
    minute = models.DateTimeField(help_text="The end of the minutes in which it was seen first.")
    last_seen_at = models.DateTimeField(help_text="The same, seen last; while it goes on no second item is opened.")
    before = models.CharField(max_length=200)
    now = models.CharField(max_length=200)
    chance = models.CharField(max_length=20, help_text="Of the same figures by luck, had nothing changed.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "stream"], condition=~Q(status="resolved"), name="metering_review_once"
            ),
            models.CheckConstraint(
                condition=Q(status="open", owner=None) | Q(status__in=["taken", "resolved"], owner__isnull=False),
                name="metering_review_status",
            ),
        ]
        indexes = [models.Index(fields=["stream", "kind", "-last_seen_at"], name="metering_review_episode")]
        triggers = [
            pgtrigger.ReadOnly(
                name="finding_is_kept",
                fields=["kind", "stream", "policy", "minute", "before", "now", "chance", "opened_at"],
            ),
            pgtrigger.Protect(name="review_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.stream}"


class ReviewStep(models.Model):
    """One move of a review item: who, when, from where to where, and why."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="steps")
    status_before = models.CharField(max_length=10, choices=ReviewItem.Status.choices, blank=True)
    status_after = models.CharField(max_length=10, choices=ReviewItem.Status.choices)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = OpenedTextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status_after="resolved") | ~Q(reason=""), name="metering_review_resolved_with_reason"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.status_before or 'new'} → {self.status_after}"


class AlertDelivery(models.Model):
    """That ops was told of a review item, once per channel."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="alerts")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    sent_to = models.CharField(max_length=1000)
    delivered_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "alert deliveries"
        constraints = [models.UniqueConstraint(fields=["item", "channel"], name="metering_alert_once")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.delivered_at:%Y-%m-%d %H:%M}"
