"""Runs of the checklist, and what each found of every box."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from compliance.launch.models.checklists import ChecklistVersion
from compliance.launch.rules.boxes import TITLES
from compliance.launch.rules.checklist import ROLES
from core.models import APPEND_ONLY

NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)
BOXES = [(str(box), title) for box, title in TITLES.items()]
OWNERS = [(role, role.capitalize()) for role in ROLES]
FINISHED_ONCE = pgtrigger.Protect(
    name="finished_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__finished_at__isnull=False)
)

WHILE_IT_RUNS = """
    PERFORM 1 FROM launch_launchcheck WHERE id = NEW.run_id AND finished_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'check % is finished', NEW.run_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class LaunchCheck(models.Model):
    """One run over every box, or one box again; results are written once, and it never changes after its end."""

    checklist = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, related_name="+")
    only = models.CharField(max_length=30, blank=True, choices=BOXES, help_text="Empty: every box.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: the daily run, or the command.",
    )
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("asked_at")), name="launch_check_finished"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["checklist", "only", "asked_by", "asked_at"]),
            FINISHED_ONCE,
            NO_DELETE,
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        of = f" of one box: {self.get_only_display().lower()}" if self.only else ""
        return f"Launch check {self.pk}{of}"


class BoxResult(models.Model):
    """What was found of one box: closed or open, in a sentence, with what was looked at."""

    run = models.ForeignKey(LaunchCheck, on_delete=models.PROTECT, related_name="results")
    box = models.CharField(max_length=30, choices=BOXES)
    program = models.CharField(max_length=60, blank=True, help_text="Empty: it is about everything.")
    is_closed = models.BooleanField()
    said = models.TextField(help_text="What was found, in a sentence.")
    remedy = models.TextField(blank=True, help_text="How to close it.")
    proof = models.JSONField(help_text="`{facts, table, links}`")
    proof_hash = models.CharField(max_length=64, help_text="SHA-256 of the proof.")
    owner = models.CharField(max_length=20, choices=OWNERS, help_text="The role that answers for it.")
    proved_at = models.DateTimeField(help_text="The date of the proof; from here on it ages.")
    looked_at = models.DateTimeField()

    class Meta:
        ordering = ["run", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "box", "program"], name="launch_result_once"),
            models.CheckConstraint(condition=~Q(said=""), name="launch_result_says_what"),
            models.CheckConstraint(condition=Q(is_closed=True) | ~Q(remedy=""), name="launch_result_open_says_how"),
            models.CheckConstraint(condition=Q(proved_at__lte=F("looked_at")), name="launch_result_proof_is_past"),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="while_it_runs", when=pgtrigger.Before, operation=pgtrigger.Insert, func=WHILE_IT_RUNS
            ),
        ]

    def __str__(self) -> str:
        of = f" of {self.program}" if self.program else ""
        return f"{self.get_box_display()}{of}: {'closed' if self.is_closed else 'open'}"


class CloseWalk(models.Model):
    """Every line of the last close traced again for one check: how far it is, and every line that differs."""

    run = models.OneToOneField(LaunchCheck, on_delete=models.PROTECT, related_name="walk")
    period_from = models.DateTimeField(help_text="Documents of periods that ended after this …")
    period_to = models.DateTimeField(help_text="… and by this are walked.")
    last_invoice = models.PositiveBigIntegerField(
        help_text="The highest id there was; later ones are not of this walk."
    )
    invoices_total = models.PositiveIntegerField(help_text="How many there were when it began.")
    invoices_done = models.PositiveIntegerField(default=0)
    lines_done = models.PositiveIntegerField(default=0)
    reached_invoice = models.PositiveBigIntegerField(default=0, help_text="It goes by ascending ids.")
    differing = models.JSONField(default=list, help_text="`[[invoice, line, step, claimed, found]]`")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 over every step of every line, in order.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(period_from__lt=F("period_to")), name="launch_walk_period"),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(digest__regex="^[0-9a-f]{64}$"), name="launch_walk_finished"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="question_is_fixed", fields=["run", "period_from", "period_to", "last_invoice", "invoices_total"]
            ),
            FINISHED_ONCE,
            NO_DELETE,
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.invoices_done} of {self.invoices_total} documents"
