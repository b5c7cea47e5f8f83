"""Decisions over many quarantined events at once, and how far each has come."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.sealed_fields import OpenedTextField
from metering.models.capture import QuarantinedEvent
from metering.models.guards import NO_TRUNCATE

_NONE_LATER = """
    IF EXISTS (SELECT 1 FROM new_rows row JOIN metering_bulkdecision decision ON decision.id = row.decision_id) THEN
        RAISE EXCEPTION 'which events a decision is over is fixed when it is made'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""
TARGET = (
    "code",
    "source",
    "event_type",
    "subject",
    "up_to_id",
    "total",
    "action",
    "reason",
    "started_by",
    "started_at",
    "undoes",
)


class BulkDecision(models.Model):
    """One decision over a group of events that were waiting when it was made; the numbers say how far it has come."""

    class Action(models.TextChoices):
        RELEASE = "release", "Check again and release"
        DISCARD = "discard", "Discard"
        TAKE_UP = "take_up", "Take up again"

    action = models.CharField(max_length=10, choices=Action.choices)
    code = models.CharField(max_length=60, help_text="The first reason of the events.")
    source = models.CharField(max_length=200, blank=True)
    event_type = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, null=True, help_text="Only events of this one, if there is one.")  # noqa: DJ001  empty is a subject
    up_to_id = models.BigIntegerField(help_text="Events that came later are not part of it.")
    total = models.PositiveIntegerField()
    reason = OpenedTextField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    undoes = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="undone_by",
        help_text="The discard that it takes back.",
    )
    last_id = models.BigIntegerField(default=0, help_text="The last event that was decided.")
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0, help_text="Still break a rule, and wait on with their new reasons.")
    discarded = models.PositiveIntegerField(default=0)
    taken_up = models.PositiveIntegerField(default=0, help_text="Were discarded, and wait again.")
    passed_over = models.PositiveIntegerField(default=0, help_text="Decided by somebody else meanwhile, or raced.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["release", "discard"], undoes=None) | Q(action="take_up", undoes__isnull=False),
                name="metering_bulk_action",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="metering_bulk_reason"),
            models.CheckConstraint(
                condition=Q(finished_at=None)
                | Q(
                    total=F("accepted")
                    + F("duplicates")
                    + F("kept")
                    + F("discarded")
                    + F("taken_up")
                    + F("passed_over")
                ),
                name="metering_bulk_adds_up",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="decision_is_fixed", fields=list(TARGET)),
            pgtrigger.Protect(name="decision_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.code}, {self.event_type or 'no type'}"

    @property
    def done(self) -> int:
        """How many events were decided, one way or the other."""
        return self.accepted + self.duplicates + self.kept + self.discarded + self.taken_up + self.passed_over

    @property
    def percent(self) -> int:
        """The same as a share of the total."""
        return 100 * self.done // self.total if self.total else 100


class BulkDecisionItem(models.Model):
    """One event of a decision, and what became of it; nothing yet while it is not decided.

    All are written just before their decision, in its transaction; none is added to one that stands.
    """

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        DUPLICATES = "duplicates", "Known already"
        KEPT = "kept", "Still breaks a rule"
        DISCARDED = "discarded", "Discarded"
        TAKEN_UP = "taken_up", "Waits again"
        PASSED_OVER = "passed_over", "Passed over"

    pk = models.CompositePrimaryKey("decision", "event")
    # No foreign-key triggers: a group may have a million events, and neither they nor decisions are ever deleted.
    decision = models.ForeignKey(
        BulkDecision, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="items"
    )
    event = models.ForeignKey(
        QuarantinedEvent, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="bulk_items"
    )
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices)

    class Meta:
        ordering = ["decision", "event"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    outcome__in=["", "accepted", "duplicates", "kept", "discarded", "taken_up", "passed_over"],
                ),
                name="metering_bulk_item_outcome",
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="none_later",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=_NONE_LATER,
            ),
            pgtrigger.ReadOnly(name="item_is_fixed", fields=["decision", "event"]),
            pgtrigger.Protect(name="item_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__outcome="")),
            pgtrigger.Protect(name="item_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.outcome or 'waits'}"
