"""What was decided over open boxes: programs declared live or stopped, and exceptions that two people signed."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import validators
from compliance.launch.models.checks import LaunchCheck
from compliance.launch.rules.exceptions import LENGTH_MAX, SIGNING_ROLES
from core.models import APPEND_ONLY, AuditEntry

ROLES = [(role, role.capitalize()) for role in SIGNING_ROLES]

_OPEN_FOR_THIS_SIGNATURE = """
    PERFORM 1 FROM launch_launchexception asked
    WHERE asked.id = NEW.exception_id AND asked.content_hash = NEW.content_hash
      AND asked.proposed_by_id <> NEW.person_id AND NEW.at < asked.ends_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'exception % is not open for this signature', NEW.exception_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class GoLiveDecision(models.Model):
    """A program is live, or no longer; the last decision about it says. Every box is written down as it stood."""

    class Outcome(models.TextChoices):
        LIVE = "live", "Live"
        STOPPED = "stopped", "Stopped"

    program = models.CharField(max_length=60, validators=[validators.CODE])
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.TextField()
    run = models.ForeignKey(LaunchCheck, null=True, on_delete=models.PROTECT, related_name="+")
    boxes = models.JSONField(help_text="`[{box, state, proof_hash, exception}]` when it was decided.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["program", "-id"], name="launch_golive_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="live", run__isnull=False) | Q(outcome="stopped"), name="launch_golive_outcome"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="launch_golive_reason"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.program} {self.get_outcome_display().lower()}"


class LaunchException(models.Model):
    """Some boxes may stand open for a program until an end; it counts once finance and ops signed it."""

    program = models.CharField(max_length=60, validators=[validators.CODE])
    boxes = models.JSONField(help_text="Which boxes may be open.")
    reason = models.TextField(help_text="Why that is acceptable, and until when it will be mended.")
    ends_at = models.DateTimeField(help_text="From then on it counts for nothing.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what is signed.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("proposed_at"), ends_at__lte=F("proposed_at") + LENGTH_MAX),
                name="launch_exception_ends",
            ),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(boxes=[]), name="launch_exception_says_what"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Exception {self.pk} for {self.program}"


class ExceptionSignature(models.Model):
    """One of the two signatures under an exception: another person each, neither of them its author."""

    exception = models.ForeignKey(LaunchException, on_delete=models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=20, choices=ROLES)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["exception", "id"]
        constraints = [
            models.UniqueConstraint(fields=["exception", "role"], name="launch_exception_once_per_role"),
            models.UniqueConstraint(fields=["exception", "person"], name="launch_exception_once_per_person"),
            models.CheckConstraint(condition=Q(role__in=SIGNING_ROLES), name="launch_exception_role"),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="open_for_this_signature",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_OPEN_FOR_THIS_SIGNATURE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.role}"
