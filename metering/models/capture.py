"""What arrived: batches, the identities and rows of accepted events, and the events held back."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts.models import Customer
from core import sealing, told
from core.models import APPEND_ONLY
from core.sealed_fields import OpenedTextField
from metering.models.contracts import EventContract, EventContractVersion
from metering.models.guards import NO_TRUNCATE
from metering.rules.exact_json import ExactDecoder, ExactEncoder


class CaptureBatch(models.Model):
    """One delivery of events: who sent it, when it arrived, and what became of it."""

    class Channel(models.TextChoices):
        HTTP = "http", "HTTP"
        IMPORT = "import", "File import"
        RELEASE = "release", "Release from quarantine"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    origin = models.CharField(max_length=200, help_text="Public id of the API key, or the file.")
    received_at = models.DateTimeField()
    received = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()
    duplicates = models.PositiveIntegerField()
    quarantined = models.PositiveIntegerField()
    tallies = models.JSONField(help_text="The same counts by source and type: what `metering/health` adds up.")
    first_seq = models.BigIntegerField(null=True, help_text="Its accepted events lie between these; empty for none.")
    last_seq = models.BigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "capture batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(received=F("accepted") + F("duplicates") + F("quarantined")),
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
    # What tells a duplicate from a conflict and finds the event's month, wherever the event itself lies by now.
    occurred_at = models.DateTimeField()
    batch_id = models.BigIntegerField()
    fingerprint = models.BinaryField(max_length=32)

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class UsageEvent(models.Model):
    """An accepted event, raw and for ever. Written and read by `metering.store`, never as Django objects in bulk.

    The table is parted by month of `occurred_at` (`store/partitions.py`), so its primary key is (seq, occurred_at);
    `seq` alone is unique by its sequence.
    """

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
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the canonical event.")
    data = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    extras = models.JSONField(
        null=True,
        encoder=ExactEncoder,
        decoder=ExactDecoder,
        help_text="Attributes that no column holds, and `time` as sent if it says more.",
    )

    class Meta:
        indexes = [
            # `seq` lets the search for late events stay inside the index.
            models.Index(
                fields=["customer", "contract", "occurred_at"],
                include=["seq"],
                name="metering_event_usage",
            ),
            # A close of everybody reads the blocks of its month only; keeping this index costs next to nothing.
            BrinIndex(fields=["occurred_at"], name="metering_event_time", autosummarize=True),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class QuarantinedEvent(models.Model):
    """An event that was not accepted, kept as sent until a person releases or discards it.

    One that is erased with whom it names has nothing left to decide over, and waits no longer.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waiting"
        RELEASED = "released", "Released"
        DISCARDED = "discarded", "Discarded"
        ERASED = "erased", "Erased with the person"

    source = models.CharField(max_length=200, blank=True)
    event_id = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    raw = OpenedTextField(help_text="The event as JSON text, under the key of the customer whom it names.")
    raw_hash = models.CharField(max_length=64)
    reasons = models.JSONField(help_text="`[{code, detail, pointer}]`")
    batch = models.ForeignKey(CaptureBatch, on_delete=models.PROTECT, related_name="quarantined_events")
    received_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1, help_text="Retries of the same bad event are one row.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = OpenedTextField(blank=True)
    continues = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="continued_by",
        help_text="The discarded row of the same event that was taken up again as this one.",
    )
    history = HistoricalRecords(excluded_fields=["raw"])

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["raw_hash"],
                condition=Q(status="open"),
                name="metering_quarantine_once",
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None)
                | Q(status__in=["released", "discarded", "erased"], decided_at__isnull=False),
                name="metering_quarantine_decided",
            ),
        ]
        indexes = [models.Index(fields=["status", "-received_at"], name="metering_quarantine_desk")]
        triggers = [
            pgtrigger.ReadOnly(
                name="kept_as_sent",
                fields=[
                    *("source", "event_id", "event_type", "subject", "raw", "raw_hash", "batch", "received_at"),
                    "continues",
                ],
            ),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__status="open")
            ),
            pgtrigger.Protect(name="quarantine_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'unreadable event'} {self.event_id}"

    @property
    def key_id(self) -> int | None:
        """The key that the body lies under, which is that of the customer it names; None where it is in clear."""
        token = sealing.read_token(told.kept(self.raw))
        return None if token is None else token[0]
