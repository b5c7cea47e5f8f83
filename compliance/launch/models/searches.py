"""Every invariant searched for one check: how far it is, and what each search found."""

import pgtrigger
from django.db import models
from django.db.models import Q

from compliance.launch.models.checks import NO_DELETE, WHILE_IT_RUNS, LaunchCheck
from core.models import APPEND_ONLY


class InvariantSearch(models.Model):
    """One invariant of one check: written down before it is searched, so that a search that was killed is known."""

    class Outcome(models.TextChoices):
        CLEAN = "clean", "Nothing offends it"
        BROKEN = "broken", "Something offends it"
        INTERRUPTED = "interrupted", "Not searched to the end"

    run = models.ForeignKey(LaunchCheck, on_delete=models.PROTECT, related_name="searches")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField(default=1)
    begun_at = models.DateTimeField(help_text="Of the last attempt.")
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices, help_text="Empty: being searched.")
    count = models.PositiveIntegerField(null=True, help_text="How many offenders there are.")
    offenders = models.JSONField(default=list, help_text="The first of them.")
    why = models.TextField(blank=True, help_text="Why it was interrupted.")
    duration_ms = models.PositiveBigIntegerField(null=True)
    proof_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was found.")

    class Meta:
        verbose_name_plural = "invariant searches"
        ordering = ["run", "number", "name"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number", "name"], name="launch_search_once"),
            models.CheckConstraint(
                condition=Q(outcome="", count=None, why="", proof_hash="")
                | Q(outcome="interrupted", count=None, proof_hash="") & ~Q(why="")
                | Q(outcome="clean", count=0, why="", proof_hash__regex="^[0-9a-f]{64}$")
                | Q(outcome="broken", count__gt=0, why="", proof_hash__regex="^[0-9a-f]{64}$"),
                name="launch_search_outcome",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["run", "number", "name"]),
            pgtrigger.Protect(
                name="found_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__outcome__in=["clean", "broken"]),
            ),
            pgtrigger.Trigger(
                name="while_it_runs",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=WHILE_IT_RUNS,
            ),
            NO_DELETE,
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.name}"
