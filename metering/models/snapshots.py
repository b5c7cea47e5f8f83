"""What was measured: watermarks over the accepted events, and snapshots taken at them."""

from datetime import datetime

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from accounts.models import Customer
from core.models import APPEND_ONLY
from metering.models.meters import ALWAYS, MEASURE, Meter, MeterVersion
from metering.rules.windows import UsageWindow


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


# Per statement, not per row: a close inserts thousands. Versions that differ only in words measure alike.
VERSION_IN_FORCE = pgtrigger.Trigger(
    name="version_in_force",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="taken"),
    func="""
    IF EXISTS (
        SELECT FROM taken JOIN metering_meterversion own ON own.id = taken.meter_version_id
        WHERE own.meter_id <> taken.meter_id OR own.status <> 'approved'
           OR (taken.kind <> 'adjustment' AND own.effective_at > taken.window_start)
           OR (taken.kind <> 'adjustment' AND EXISTS (
                SELECT FROM metering_meterversion later
                WHERE later.meter_id = own.meter_id AND later.status = 'approved'
                  AND (later.effective_at, later.version) > (own.effective_at, own.version)
                  AND later.effective_at < taken.window_end
                  AND ({later}) IS DISTINCT FROM ({own})))
           OR (taken.kind = 'adjustment' AND own.id <> (
                SELECT base.meter_version_id FROM metering_aggregationsnapshot base WHERE base.id = taken.corrects_id))
    ) THEN
        RAISE EXCEPTION 'a snapshot names a meter version that was not in force throughout its window'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'metering_snapshot_version';
    END IF;
    RETURN NULL;
    """.replace("{later}", ", ".join(f"later.{name}" for name in MEASURE)).replace(
        "{own}", ", ".join(f"own.{name}" for name in MEASURE)
    ),
)


class AggregationSnapshot(models.Model):
    """What one meter measured for one customer in one window, as seen at a watermark."""

    class Kind(models.TextChoices):
        CYCLE = "cycle", "Cycle close"
        ADJUSTMENT = "adjustment", "Adjustment of a closed window"
        INTERIM = "interim", "So far, of a window that still runs"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.CYCLE)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    meter_version = models.ForeignKey(
        MeterVersion, on_delete=models.PROTECT, related_name="+", help_text="What the meter measured at that time."
    )
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    period_start = models.DateTimeField(
        null=True, help_text="Start of the whole period that levels are weighed over; empty: of the window."
    )
    period_end = models.DateTimeField(null=True, help_text="Its end.")
    time_zone = models.CharField(max_length=60, default="UTC", help_text="Whose days levels are weighed by.")
    watermark = models.ForeignKey(Watermark, on_delete=models.PROTECT, related_name="+")
    corrects = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="corrections")
    quantity = models.DecimalField(max_digits=38, decimal_places=18)
    event_count = models.BigIntegerField()
    unmeasured_count = models.BigIntegerField(
        default=0,
        help_text="Of these, events without a value the meter can read (from before it was made); not in the quantity.",
    )
    digest = models.CharField(
        max_length=64,
        help_text="SHA-256 over the fingerprints of its events in capture order.",
    )
    first_seq = models.BigIntegerField(
        default=0, help_text="No event of it has a lower number; 0 where that is not known. Reading it begins there."
    )
    taken_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, help_text="Set once, when the draft that used it was discarded.")

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
                condition=Q(kind__in=["cycle", "interim"], corrects=None)
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
                    "meter_version",
                    "period_start",
                    "period_end",
                    "time_zone",
                    "watermark",
                    "corrects",
                    "quantity",
                    "event_count",
                    "unmeasured_count",
                    "digest",
                    "first_seq",
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
            VERSION_IN_FORCE,
        ]

    def __str__(self) -> str:
        return f"{self.meter.code} {self.window_start:%Y-%m-%d} to {self.window_end:%Y-%m-%d}"

    @property
    def since(self) -> datetime:
        """From when on its events count: a level is made of all there were before the window's end."""
        return ALWAYS if self.meter_version.is_recurring else self.window_start

    @property
    def window(self) -> UsageWindow:
        """What was to be counted."""
        period = (self.period_start, self.period_end) if self.period_start and self.period_end else None
        return UsageWindow(
            self.customer_id, self.meter_id, self.window_start, self.window_end, period=period, zone=self.time_zone
        )
