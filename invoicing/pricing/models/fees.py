"""Fee programs: what payment providers and others charge for transactions, in versions of their own."""

import pgtrigger
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts import validators
from invoicing.pricing.models.proposals import Proposal, proposal_checks, proposal_triggers


class FeeProgram(models.Model):
    """A fee table that several plans may name, kept apart from their own prices and from other programs."""

    class TakesEffect(models.TextChoices):
        AT_ONCE = "at_once", "At its instant, also inside a period"
        NEXT_PERIOD = "next_period", "With the first billing period that begins then or later"

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    takes_effect = models.CharField(
        max_length=12,
        choices=TakesEffect.choices,
        default=TakesEffect.AT_ONCE,
        help_text="A program that counts accounts changes with a period, or an account would count twice.",
    )
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(takes_effect__in=["at_once", "next_period"]), name="pricing_feeprogram_takes_effect"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="terms_are_fixed", fields=["code", "takes_effect", "created_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class FeeProgramVersion(Proposal):
    """The tables and policies of a program from an instant on, with where the figures come from.

    Of approved versions with one effective instant the highest counts.
    """

    class SourceKind(models.TextChoices):
        PRIMARY = "primary", "The provider's own page or contract"
        SECONDARY = "secondary", "A page of somebody else"

    program = models.ForeignKey(FeeProgram, on_delete=models.PROTECT, related_name="versions")
    terms = models.JSONField(help_text="Tables by currency and country, and policies; numbers as decimal strings.")
    source = models.CharField(max_length=300, help_text="Where the figures stand.")
    source_date = models.DateField(help_text="When they were read there.")
    source_kind = models.CharField(max_length=10, choices=SourceKind.choices)
    note = models.CharField(max_length=300, blank=True, help_text="What changed, or what remains to be checked.")

    class Meta:
        ordering = ["program", "effective_at", "version"]
        constraints = [
            models.UniqueConstraint(fields=["program", "version"], name="pricing_feeprogramversion_version"),
            models.CheckConstraint(
                condition=Q(source_kind__in=["primary", "secondary"]) & ~Q(source=""), name="pricing_feeversion_source"
            ),
            *proposal_checks("pricing_feeversion"),
        ]
        triggers = proposal_triggers(["program", "terms", "source", "source_date", "source_kind", "note"])

    def __str__(self) -> str:
        return f"{self.program.code} v{self.version}"
