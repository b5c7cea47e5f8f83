"""What a gateway told, each event once; kept whether or not anything followed."""

import pgtrigger
from django.db import models
from django.db.models import Q

from core.models import APPEND_ONLY

OUTCOMES = [
    ("applied", "Applied"),
    ("nothing_new", "Nothing new"),
    ("waiting", "Waits for its payment"),
    ("refused", "Contradicts what is recorded"),
    ("unknown", "Of a kind that is not read"),
]


class GatewayEvent(models.Model):
    """An event as far as payments need it: ids, amounts and states. Names and addresses in it are not kept.

    `outcome` is what came of it; an event that waits is looked at again.
    """

    gateway = models.CharField(max_length=10)
    event_id = models.CharField(max_length=255, help_text="The gateway's own; applied once for ever.")
    kind = models.CharField(max_length=100, help_text="Such as charge.refunded.")
    payment_ref = models.CharField(max_length=255, blank=True, help_text="Which payment it is about, as told.")
    facts = models.JSONField(help_text="What it says of that payment, in plain values.")
    created_at = models.DateTimeField(help_text="When the gateway says that it happened.")
    received_at = models.DateTimeField()
    body_sha256 = models.CharField(max_length=64)
    outcome = models.CharField(max_length=20, choices=OUTCOMES, default="waiting")
    detail = models.CharField(max_length=300, blank=True, help_text="Why nothing followed, where somebody should look.")
    looked_at = models.DateTimeField(null=True, help_text="When it was last looked at.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="payments_event_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome for outcome, _ in OUTCOMES]), name="payments_event_outcome"
            ),
        ]
        indexes = [
            models.Index(fields=["gateway", "payment_ref"], name="payments_event_about"),
            models.Index(fields=["id"], condition=Q(outcome="waiting"), name="payments_event_waiting"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="what_was_told_is_fixed",
                fields=[
                    "gateway",
                    "event_id",
                    "kind",
                    "payment_ref",
                    "facts",
                    "created_at",
                    "received_at",
                    "body_sha256",
                ],
            ),
            pgtrigger.Protect(
                name="applied_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__outcome__in=["applied", "unknown"]),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
