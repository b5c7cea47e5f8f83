"""Usage added up ahead of time, for live totals only: a bill never reads these rows."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.models import APPEND_ONLY
from metering.models.contracts import EventContract
from metering.rules.covering import Grain
from metering.rules.exact_json import ExactDecoder, ExactEncoder


class RollupSeries(models.Model):
    """One way to read the events of a contract that is added up, and the last event that went in.

    Meters and versions that read the same share it: the sums hold what any aggregation that has parts needs.
    """

    contract = models.ForeignKey(EventContract, on_delete=models.PROTECT, related_name="+")
    value_property = models.CharField(max_length=120, blank=True)
    filters = models.JSONField(null=True, encoder=ExactEncoder, decoder=ExactDecoder)
    arrival_sign = models.SmallIntegerField(help_text="-1 where of one instant the first received counts as later.")
    group_by = ArrayField(models.TextField(), help_text="Properties whose values are kept apart.")
    operation_property = models.CharField(
        max_length=120,
        blank=True,
        db_default="",
        help_text="Where it is named, an event that adds is 1, one that removes 0.",
    )
    by_minute = models.BooleanField(db_default=False, help_text="Also added up by the minute.")
    reading_hash = models.CharField(max_length=64, help_text="SHA-256 over these.")
    seq = models.BigIntegerField(default=0, help_text="Every accepted event up to this one is in, and no other.")

    class Meta:
        verbose_name_plural = "rollup series"
        constraints = [
            models.UniqueConstraint(fields=["contract", "reading_hash"], name="metering_rollup_series_once"),
            models.CheckConstraint(condition=Q(arrival_sign__in=[-1, 1]), name="metering_rollup_series_sign"),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.value_property or 'events'}"


class UsageRollup(models.Model):
    """What a series makes of the events of one customer, one stretch of time (UTC) and one combination of groups.

    The last value stands with its place in the order of events, so that a later one can replace it.
    """

    series = models.ForeignKey(
        RollupSeries, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="rows"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    grain = models.CharField(max_length=6)
    starts_at = models.DateTimeField()
    groups = ArrayField(models.TextField(null=True), help_text="The values of the series' properties, in order.")
    groups_hash = models.BinaryField(max_length=32, help_text="A value may be longer than an index takes.")
    event_count = models.BigIntegerField()
    measured_count = models.BigIntegerField(help_text="Of these, events with a value the series can read.")
    total = models.DecimalField(max_digits=60, decimal_places=18, null=True)
    highest = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    lowest = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    moment = models.DecimalField(
        max_digits=74,
        decimal_places=24,
        null=True,
        help_text="The values, each times the seconds since 1970 of its event; empty on rows from before it was kept.",
    )
    below = models.DecimalField(
        max_digits=60,
        decimal_places=18,
        null=True,
        help_text="The values below 0, added up; empty on rows from before it was kept.",
    )
    last_value = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    last_at = models.DateTimeField(null=True)
    last_arrival = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    last_event_id = models.CharField(max_length=200, null=True, db_collation="C")  # noqa: DJ001  no value, no event
    last_source = models.CharField(max_length=200, null=True, db_collation="C")  # noqa: DJ001  as above

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "customer", "grain", "starts_at", "groups_hash"], name="metering_rollup_once"
            ),
            models.CheckConstraint(condition=Q(grain__in=list(Grain)), name="metering_rollup_grain"),
            models.CheckConstraint(
                condition=Q(event_count__gt=0, measured_count__gte=0, measured_count__lte=F("event_count")),
                name="metering_rollup_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.starts_at:%Y-%m-%d %H:%M}"


class OrderedMinute(models.Model):
    """The values of one customer's events of a minute in their order, for as long as its sums stay what they were.

    Sums that are added to count more events, and those that are made anew have other numbers.
    """

    series = models.ForeignKey(RollupSeries, on_delete=models.CASCADE, db_index=False, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    last_row = models.BigIntegerField(help_text="The highest number of a row of this minute's sums; 0 without any.")
    event_count = models.BigIntegerField(help_text="The events in these sums.")
    values = ArrayField(models.DecimalField(max_digits=38, decimal_places=18))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "customer", "starts_at", "ends_at"], name="metering_ordered_minute_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class RollupRepair(models.Model):
    """A row that did not say what the raw events say, both figures, and when it was put right."""

    series = models.ForeignKey(RollupSeries, on_delete=models.PROTECT, related_name="repairs")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    grain = models.CharField(max_length=6)
    starts_at = models.DateTimeField()
    groups = ArrayField(models.TextField(null=True))
    found = models.JSONField(null=True, help_text="What the row said; empty where there was none.")
    counted = models.JSONField(null=True, help_text="What the events say; empty where there are none.")
    seq = models.BigIntegerField(help_text="The last event that both have seen.")
    repaired_at = models.DateTimeField()

    class Meta:
        ordering = ["-repaired_at", "-id"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.series} {self.grain} {self.starts_at:%Y-%m-%d %H:%M}"
