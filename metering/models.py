"""Meters, event contracts, captured events, quarantine, watermarks and snapshots."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from accounts.models import Customer
from core.models import APPEND_ONLY


class Aggregation(models.TextChoices):
    SUM = "sum", "Sum"
    COUNT = "count", "Count"
    LAST = "last", "Last value"
    MAX = "max", "Highest value"
    UNIQUE = "unique_count", "Unique count"


class EventContract(models.Model):
    """What events of one type look like; its versions say it exactly."""

    event_type = models.CharField(
        max_length=120, unique=True, help_text="The `type` of the event."
    )
    description = models.TextField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["event_type"]
        triggers = [pgtrigger.ReadOnly(name="type_is_for_ever", fields=["event_type"])]

    def __str__(self) -> str:
        return self.event_type


class EventContractVersion(models.Model):
    """JSON Schema of an event's `data`, with examples that are checked before it can be activated."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "In force"
        RETIRED = "retired", "Retired"

    contract = models.ForeignKey(
        EventContract, on_delete=models.PROTECT, related_name="versions"
    )
    version = models.PositiveIntegerField()
    schema = models.JSONField(help_text="JSON Schema (2020-12) of `data`.")
    billing_fields = models.JSONField(
        default=list, help_text="Properties that billing requires in every event."
    )
    context_fields = models.JSONField(
        default=list, help_text="Optional properties kept for attribution."
    )
    valid_examples = models.JSONField(
        default=list, help_text="`data` objects that must pass."
    )
    invalid_examples = models.JSONField(
        default=list, help_text="`data` objects that must fail."
    )
    accepts_past_days = models.PositiveIntegerField(
        default=1826, help_text="Older events are quarantined."
    )
    accepts_future_seconds = models.PositiveIntegerField(
        default=300, help_text="Later events are quarantined."
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.DRAFT
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    activated_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["contract", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "version"], name="metering_contract_version"
            ),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(status="active"),
                name="metering_contract_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "retired"]),
                name="metering_contract_status",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="content_fixed_once_active",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="draft")
                & (
                    pgtrigger.Q(old__schema__df=pgtrigger.F("new__schema"))
                    | pgtrigger.Q(
                        old__billing_fields__df=pgtrigger.F("new__billing_fields")
                    )
                    | pgtrigger.Q(
                        old__accepts_past_days__df=pgtrigger.F("new__accepts_past_days")
                    )
                    | pgtrigger.Q(
                        old__accepts_future_seconds__df=pgtrigger.F(
                            "new__accepts_future_seconds"
                        )
                    )
                    | pgtrigger.Q(old__version__df=pgtrigger.F("new__version"))
                    | pgtrigger.Q(new__status="draft")
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.version}"


class Meter(models.Model):
    """A billable unit: what is counted, what is not, in which unit, and who answers for it."""

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    name = models.CharField(max_length=120)
    definition = models.TextField(
        help_text="One or two sentences a customer would understand."
    )
    exclusions = models.TextField(
        blank=True, help_text="What is deliberately not counted."
    )
    unit = models.CharField(max_length=40, help_text="Such as token, request or GB.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    contract = models.ForeignKey(
        EventContract, on_delete=models.PROTECT, related_name="meters"
    )
    aggregation = models.CharField(max_length=20, choices=Aggregation.choices)
    value_property = models.CharField(
        max_length=120, blank=True, help_text="Property of `data`; empty for count."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(aggregation__in=Aggregation.values),
                name="metering_meter_aggregation",
            ),
            models.CheckConstraint(
                condition=Q(aggregation="count", value_property="")
                | (~Q(aggregation="count") & ~Q(value_property="")),
                name="metering_meter_value_property",
            ),
        ]
        triggers = [
            # What a meter measures may not change under figures already billed; a new meter is made instead.
            pgtrigger.ReadOnly(
                name="measure_is_fixed",
                fields=["code", "contract", "aggregation", "value_property"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class CaptureBatch(models.Model):
    """One delivery of events: who sent it, when it arrived, and what became of it."""

    class Channel(models.TextChoices):
        HTTP = "http", "HTTP"
        IMPORT = "import", "File import"
        RELEASE = "release", "Release from quarantine"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    origin = models.CharField(
        max_length=200, help_text="Public id of the API key, or the file."
    )
    received_at = models.DateTimeField()
    received = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField()
    quarantined = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "capture batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    received=F("accepted") + F("duplicates") + F("quarantined")
                ),
                name="metering_batch_adds_up",
            )
        ]
        indexes = [models.Index(fields=["received_at"], name="metering_batch_received")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.channel} {self.origin} {self.received_at:%Y-%m-%d %H:%M}"


class EventKey(models.Model):
    """The identity of an accepted event: counted once, for ever, whatever its time says."""

    pk = models.CompositePrimaryKey("source", "event_id")
    source = models.CharField(max_length=200, db_collation="C")
    event_id = models.CharField(max_length=200, db_collation="C")
    seq = models.BigIntegerField(help_text="The accepted event of this identity.")

    class Meta:
        triggers = APPEND_ONLY


class UsageEvent(models.Model):
    """An accepted event, raw and for ever. Written and read by `metering.store`, never as Django objects in bulk."""

    seq = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=200, db_collation="C")
    event_id = models.CharField(max_length=200, db_collation="C")
    # No foreign-key triggers on the hot table: capture resolves the ids, and customers and contracts are never deleted.
    customer = models.ForeignKey(
        Customer,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    contract = models.ForeignKey(
        EventContract,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    contract_version = models.ForeignKey(
        EventContractVersion,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    batch = models.ForeignKey(
        CaptureBatch,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    fingerprint = models.BinaryField(
        max_length=32, help_text="SHA-256 of the canonical event."
    )
    data = models.JSONField()
    extras = models.JSONField(
        null=True,
        help_text="Attributes that no column holds, and `time` as sent if it says more.",
    )

    class Meta:
        indexes = [
            # `seq` lets the search for late events stay inside the index.
            models.Index(
                fields=["customer", "contract", "occurred_at"],
                include=["seq"],
                name="metering_event_usage",
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class QuarantinedEvent(models.Model):
    """An event that was not accepted, kept as sent until a person releases or discards it."""

    class Status(models.TextChoices):
        OPEN = "open", "Waiting"
        RELEASED = "released", "Released"
        DISCARDED = "discarded", "Discarded"

    source = models.CharField(max_length=200, blank=True)
    event_id = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    raw = models.TextField(help_text="The event as JSON text.")
    raw_hash = models.CharField(max_length=64)
    reasons = models.JSONField(help_text="`[{code, detail, pointer}]`")
    batch = models.ForeignKey(
        CaptureBatch, on_delete=models.PROTECT, related_name="quarantined_events"
    )
    received_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(
        default=1, help_text="Retries of the same bad event are one row."
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.OPEN
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["raw_hash"],
                condition=Q(status="open"),
                name="metering_quarantine_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "released", "discarded"]),
                name="metering_quarantine_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "-received_at"], name="metering_quarantine_desk"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'unreadable event'} {self.event_id}"


class Watermark(models.Model):
    """Which accepted events a snapshot saw: all with `seq` up to this, and no other."""

    seq = models.BigIntegerField()
    fixed_at = models.DateTimeField()

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"#{self.seq} at {self.fixed_at:%Y-%m-%d %H:%M:%S}"


class IdRange(Func):
    """`int8range(id, id, '[]')`: equality for exclusion constraints without btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"


class TimeRange(Func):
    """`tstzrange(start, end)`, half-open."""

    function = "tstzrange"


class AggregationSnapshot(models.Model):
    """What one meter measured for one customer in one window, as seen at a watermark."""

    class Kind(models.TextChoices):
        CYCLE = "cycle", "Cycle close"
        ADJUSTMENT = "adjustment", "Adjustment of a closed window"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.CYCLE)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    watermark = models.ForeignKey(Watermark, on_delete=models.PROTECT, related_name="+")
    corrects = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="corrections"
    )
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    event_count = models.BigIntegerField()
    unmeasured_count = models.BigIntegerField(
        default=0,
        help_text="Events of the window without a usable value (captured before the meter was made); not in the count.",
    )
    digest = models.CharField(
        max_length=64,
        help_text="SHA-256 over the fingerprints of its events in capture order.",
    )
    taken_at = models.DateTimeField()
    retired_at = models.DateTimeField(
        null=True, help_text="Set once, when the draft that used it was discarded."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(window_start__lt=F("window_end")),
                name="metering_snapshot_window",
            ),
            models.CheckConstraint(
                condition=Q(quantity__range=("-1e15", "1e15"), event_count__gte=0, unmeasured_count__gte=0),
                name="metering_snapshot_bounds",
            ),
            ExclusionConstraint(
                name="metering_snapshot_one_live",
                expressions=[
                    (IdRange("customer"), RangeOperators.EQUAL),
                    (IdRange("meter"), RangeOperators.EQUAL),
                    (TimeRange("window_start", "window_end"), RangeOperators.OVERLAPS),
                ],
                condition=Q(retired_at=None, kind="cycle"),
            ),
            models.UniqueConstraint(
                fields=["corrects", "watermark"],
                condition=Q(kind="adjustment"),
                name="metering_snapshot_correction",
            ),
            models.CheckConstraint(
                condition=Q(kind="cycle", corrects=None)
                | Q(kind="adjustment", corrects__isnull=False),
                name="metering_snapshot_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "meter", "window_start"],
                name="metering_snapshot_window_idx",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="facts_are_fixed",
                fields=[
                    "kind",
                    "customer",
                    "meter",
                    "window_start",
                    "window_end",
                    "watermark",
                    "corrects",
                    "quantity",
                    "event_count",
                    "unmeasured_count",
                    "digest",
                    "taken_at",
                ],
            ),
            pgtrigger.Protect(
                name="retired_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__retired_at__isnull=False),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.meter.code} {self.window_start:%Y-%m-%d} to {self.window_end:%Y-%m-%d}"


class ImportRun(models.Model):
    """How far a file import has come, so that it resumes after a crash and counts nothing twice."""

    path_name = models.CharField(max_length=300)
    file_sha256 = models.CharField(max_length=64)
    mapping_hash = models.CharField(max_length=64)
    rows_done = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["file_sha256", "mapping_hash"], name="metering_import_file"
            )
        ]

    def __str__(self) -> str:
        return self.path_name
