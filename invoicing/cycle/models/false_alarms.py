"""Statements that a contradiction of an invariant is a false alarm: one person says so, another agrees."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.stopped import Offence
from invoicing.cycle.rules.false_alarms import NEVER

_ONLY_OVER_WHAT_STOPS = """
    IF EXISTS (SELECT 1 FROM cycle_offence WHERE id = NEW.offence_id
               AND (cleared_at IS NOT NULL OR customer_id IS NULL OR number IN ({never})))
    THEN
        RAISE EXCEPTION 'offence % is no alarm that can be called false', NEW.offence_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
""".replace("{never}", ", ".join(map(str, sorted(NEVER))))


class FalseAlarm(models.Model):
    """Somebody in finance says why an offence is none; somebody else in ops agrees or not, after a recount.

    Once agreed, it stops nobody any more. The offence itself stays until a check no longer finds it; found again after
    that, it is another one.
    """

    class Decision(models.TextChoices):
        OPEN = "", "Waits for ops"
        AGREED = "agreed", "Agreed"
        REFUSED = "refused", "Refused"

    offence = models.ForeignKey(Offence, on_delete=models.PROTECT, related_name="false_alarms")
    reason = OpenedTextField(help_text="Why it is no contradiction.")
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = OpenedTextField(blank=True)
    recounted = models.JSONField(
        default=list, help_text="The invoices counted and rated again when it was agreed, all of them equal."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["offence"], condition=~Q(decision="refused"), name="cycle_false_alarm_once"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by=None, decided_at=None)
                | Q(decision__in=["agreed", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="cycle_false_alarm_decided",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("stated_by")), name="cycle_false_alarm_four_eyes"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="statement_is_fixed", fields=["offence", "reason", "stated_by", "stated_at"]),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__decision="")
            ),
            pgtrigger.Protect(
                name="born_undecided", operation=pgtrigger.Insert, condition=~pgtrigger.Q(new__decision="")
            ),
            pgtrigger.Trigger(
                name="only_over_what_stops",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                func=_ONLY_OVER_WHAT_STOPS,
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"False alarm {self.pk}: {self.get_decision_display().lower()}"
