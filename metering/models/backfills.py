"""Backfills: usage that arrives long after its time, held apart until finance has seen what it would change."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import validators
from core.sealed_fields import OpenedTextField
from metering.models.guards import NO_TRUNCATE

_STAGED_ONLY_WHILE_OPEN = """
    PERFORM 1 FROM metering_backfill WHERE id = NEW.backfill_id AND status = 'open' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'backfill % takes no events any more', NEW.backfill_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
_CLEARED_ONLY_WHEN_DECIDED = """
    IF EXISTS (SELECT 1 FROM metering_backfill WHERE id = OLD.backfill_id AND status NOT IN ('approved', 'reverted'))
    THEN
        RAISE EXCEPTION 'the events of backfill % wait for a decision', OLD.backfill_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
"""


class Backfill(models.Model):
    """A named batch of events that nobody counts yet: filled while open, sealed to be inspected, then one decision."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        SEALED = "sealed", "Sealed, to be decided"
        APPROVED = "approved", "Approved"
        REVERTED = "reverted", "Reverted"

    name = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    reason = OpenedTextField(help_text="Why this usage comes so late.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    staged = models.PositiveIntegerField(default=0, help_text="Events that were put in; the number stays.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 over the events in order, once sealed.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = OpenedTextField(blank=True)
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    captured_at = models.DateTimeField(
        null=True, help_text="When the last of an approved backfill's events was captured."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "sealed"], decided_by=None, decided_at=None, decision_reason="")
                | (
                    Q(status__in=["approved", "reverted"], decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decision_reason="")
                ),
                name="metering_backfill_status",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | ~Q(decided_by=F("created_by")), name="metering_backfill_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(status="approved") | Q(accepted=0, duplicates=0, quarantined=0, captured_at=None),
                name="metering_backfill_captured_when_approved",
            ),
            models.CheckConstraint(
                condition=Q(captured_at=None) | Q(staged=F("accepted") + F("duplicates") + F("quarantined")),
                name="metering_backfill_adds_up",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="batch_is_fixed", fields=["name", "reason", "created_by", "created_at"]),
            pgtrigger.FSM(
                name="status_moves",
                field="status",
                transitions=[
                    ("open", "sealed"),
                    ("open", "reverted"),
                    ("sealed", "approved"),
                    ("sealed", "reverted"),
                ],
            ),
            pgtrigger.Protect(name="batch_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.name


class StagedEvent(models.Model):
    """One event of a backfill, as sent; nothing that counts, bills or shows usage reads this table."""

    backfill = models.ForeignKey(Backfill, on_delete=models.PROTECT, related_name="events")
    position = models.PositiveIntegerField()
    content = models.TextField(help_text="The event as exact JSON.")

    class Meta:
        ordering = ["backfill", "position"]
        constraints = [models.UniqueConstraint(fields=["backfill", "position"], name="metering_staged_position")]
        triggers = [
            pgtrigger.Trigger(
                name="only_while_open", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_STAGED_ONLY_WHILE_OPEN
            ),
            pgtrigger.Protect(name="content_is_fixed", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="cleared_when_decided",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func=_CLEARED_ONLY_WHEN_DECIDED,
            ),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.backfill} {self.position}"
