"""The terms of a plan from an instant on."""

from django.db import models
from django.db.models import Q

from accounts import validators
from invoicing.pricing.models.agreements import Plan
from invoicing.pricing.models.proposals import Proposal, proposal_checks, proposal_triggers


class PlanVersion(Proposal):
    """How a plan charges a part of a period, from an instant on; followed by the next version, never changed.

    Of approved versions with one effective instant the highest counts.
    """

    class ProrationUnit(models.TextChoices):
        SECOND = "second", "By second"
        DAY = "day", "By local day"
        DAY30 = "day30", "By day, every month as 30 days"

    class RoundingLevel(models.TextChoices):
        LINE = "line", "Each line by itself"
        INVOICE = "invoice", "The lines of an invoice together"

    TERMS = ("proration_unit", "proration_zone", "rounding_level")

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    proration_unit = models.CharField(max_length=10, choices=ProrationUnit.choices, default=ProrationUnit.SECOND)
    proration_zone = models.CharField(
        max_length=60,
        blank=True,
        validators=[validators.check_time_zone],
        help_text="Whose days are counted; empty: those of the subscription's own time zone.",
    )

    rounding_level = models.CharField(
        max_length=10,
        choices=RoundingLevel.choices,
        default=RoundingLevel.LINE,
        help_text="Together: the exact sum of what is rated by itself is rounded once, and the lines add up to it.",
    )

    class Meta:
        ordering = ["plan", "effective_at", "version"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="pricing_plan_version"),
            models.CheckConstraint(
                condition=Q(proration_unit__in=["second", "day", "day30"]), name="pricing_planversion_unit"
            ),
            models.CheckConstraint(
                condition=Q(rounding_level__in=["line", "invoice"]), name="pricing_planversion_rounding"
            ),
            *proposal_checks("pricing_planversion"),
        ]
        triggers = proposal_triggers(
            ["plan", "proration_unit", "proration_zone", "rounding_level"]
        )  # the plan and TERMS

    def __str__(self) -> str:
        return f"{self.plan.code} v{self.version}"
