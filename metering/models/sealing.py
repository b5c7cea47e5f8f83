"""Properties that were marked as personal after events were captured with them, and the proof of their sealing."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Customer
from core.models import APPEND_ONLY, AuditEntry
from metering.models.contracts import EventContractVersion
from metering.models.guards import NO_TRUNCATE


class LaterSealing(models.Model):
    """A version marked properties that earlier events hold in clear: how far these were sealed."""

    version = models.OneToOneField(EventContractVersion, on_delete=models.PROTECT, related_name="later_sealing")
    names = ArrayField(models.CharField(max_length=200), help_text="The properties that the version marked anew.")
    last_customer_id = models.BigIntegerField(default=0, help_text="All events of customers up to this one are done.")
    sealed = models.PositiveBigIntegerField(default=0, help_text="Events.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            pgtrigger.ReadOnly(name="what_is_sealed_is_fixed", fields=["version", "names", "started_at"]),
            pgtrigger.Protect(name="sealing_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{', '.join(self.names)} of {self.version}"


class EventSealing(models.Model):
    """An event of which something was sealed after it was captured.

    Its own fingerprint stays what it was when it was captured, and with it all that was counted; this one is of the
    event as it lies there now. The entry of the audit chain has the SHA-256 over both, for every event sealed with it.
    """

    seq = models.BigIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    captured = models.BinaryField(max_length=32, help_text="Its fingerprint at capture.")
    fingerprint = models.BinaryField(max_length=32, help_text="The same of the event as it lies there now.")
    sealing = models.ForeignKey(LaterSealing, on_delete=models.PROTECT, related_name="events")
    audit_entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seq", "sealing"], name="metering_event_sealed_once")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"event {self.seq}, sealed with {self.audit_entry}"
