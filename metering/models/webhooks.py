"""Where signed webhooks come from, and by which secrets they are told."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from metering.models.guards import NO_TRUNCATE


class WebhookSource(models.Model):
    """A system that reports usage by signed webhooks, and what of its bodies becomes what of an event."""

    code = models.CharField(
        max_length=60, unique=True, validators=[validators.CODE], help_text="The end of its address here."
    )
    description = models.TextField(help_text="Which system this is, and who runs it.")
    mapping = models.JSONField(help_text="`=value` or a JSON pointer for type, subject, time and the properties.")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="From then on nothing is taken from it.")
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        triggers = [
            # The events of a source name it for ever.
            pgtrigger.ReadOnly(name="code_is_for_ever", fields=["code", "created_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="closed_for_ever", operation=pgtrigger.Update, condition=pgtrigger.Q(old__closed_at__isnull=False)
            ),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.code


class WebhookSecret(models.Model):
    """One secret of a source. Only the number that it is made of is kept; the key of the installation makes it."""

    source = models.ForeignKey(WebhookSource, on_delete=models.PROTECT, related_name="secrets")
    nonce = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, help_text="From then on it signs nothing; empty while it is the newest.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(ends_at=None), name="metering_webhook_secret"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("created_at")), name="metering_webhook_secret_ends"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="made_once", fields=["source", "nonce", "created_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.source_id}, made {self.created_at:%Y-%m-%d %H:%M}"
