"""Which store holds the raw events, and how far they were shipped or copied there."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY
from metering.models.guards import NO_TRUNCATE


class Store(models.TextChoices):
    """Where raw events live once they are shipped."""

    POSTGRES = "postgres", "PostgreSQL"
    CLICKHOUSE = "clickhouse", "ClickHouse"


class StoreSwitch(models.Model):
    """From this moment on raw events live in this store; the last row counts, none means PostgreSQL."""

    store = models.CharField(max_length=10, choices=Store.choices)
    up_to_seq = models.BigIntegerField(help_text="Every event up to here was copied and compared.")
    event_count = models.BigIntegerField()
    digest = models.CharField(
        max_length=64, help_text="Of every column of every row that was compared, in capture order."
    )
    switched_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(store__in=Store.values), name="metering_switch_store")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.store} {self.switched_at:%Y-%m-%d %H:%M}"


class StoreCopy(models.Model):
    """How far all events were copied into a store before a switch, so that a killed copy goes on; one at a time."""

    store = models.CharField(max_length=10, choices=Store.choices)
    copied_seq = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "store copies"
        constraints = [
            models.CheckConstraint(condition=Q(store__in=Store.values), name="metering_copy_store"),
            models.UniqueConstraint(models.Value(1), name="metering_copy_one"),
        ]

    def __str__(self) -> str:
        return f"{self.store} up to {self.copied_seq}"


class Shipment(models.Model):
    """A stretch of accepted events that goes to another store as one block; noted before it goes."""

    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    event_count = models.BigIntegerField()
    noted_at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True, help_text="Set once, when the other store had counted as many.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first_seq__lte=F("last_seq"), event_count__gt=0), name="metering_shipment_has_events"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="shipment_is_fixed", exclude=["shipped_at"]),
            pgtrigger.Protect(
                name="shipped_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__shipped_at__isnull=False)
            ),
            pgtrigger.Protect(name="shipment_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.first_seq} to {self.last_seq}"
