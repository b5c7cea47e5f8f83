"""Searches for everything that contradicts an invariant, as each night: how far each is, and what it found."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core.models import SearchRow, only_while
from invoicing.cycle.models import guards


class OffenceCheck(models.Model):
    """One search over every invariant, invariant by invariant; what it found is kept as offences at its end."""

    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("asked_at")), name="cycle_offence_check_finished"
            ),
            models.UniqueConstraint(
                fields=["finished_at"],
                condition=Q(finished_at=None),
                nulls_distinct=False,
                name="cycle_offence_check_one_open",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["asked_at"]),
            pgtrigger.Protect(
                name="finished_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__finished_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"check of {self.asked_at:%Y-%m-%d %H:%M}"


class OffenceSearch(SearchRow):
    """One invariant of one check."""

    run = models.ForeignKey(OffenceCheck, on_delete=models.PROTECT, related_name="searches")

    class Meta(SearchRow.Meta):
        triggers = [*SearchRow.Meta.triggers, only_while("cycle_offencecheck")]
