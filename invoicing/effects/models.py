"""Runs that ask what a change would have cost whom, and moves of many subscriptions with what became of each."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.models import APPEND_ONLY
from invoicing.pricing.models import Plan, PlanVersion, PriceVersion, ProposalStatus, Subscription

PERSON = settings.AUTH_USER_MODEL
NO_TRUNCATE = APPEND_ONLY[1]


class PlanMove(models.Model):
    """All subscriptions of a plan to another one at an instant, or, where it is the same, to its present prices.

    Proposed by one person and approved by another, like the prices themselves.
    """

    source = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", help_text="Whose subscriptions move.")
    target = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="+", help_text="The same plan: older prices that are kept end."
    )
    effective_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=ProposalStatus.choices, default=ProposalStatus.PROPOSED)
    created_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ProposalStatus.values), name="effects_move_status"),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by__isnull=True, decided_at__isnull=True)
                | Q(status__in=["approved", "withdrawn"], decided_by__isnull=False, decided_at__isnull=False),
                name="effects_move_decision",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | ~Q(decided_by=F("created_by")), name="effects_move_two_persons"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(status="approved"), name="effects_move_finished"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="content_is_fixed", fields=["source", "target", "effective_at", "created_by", "created_at"]
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        if self.source_id == self.target_id:
            return f"{self.source.code}: end of kept prices on {self.effective_at:%Y-%m-%d}"
        return f"{self.source.code} to {self.target.code} on {self.effective_at:%Y-%m-%d}"


class MoveItem(models.Model):
    """One subscription of a move, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        MOVED = "moved", "Moved"
        REFUSED = "refused", "Not moved"

    move = models.ForeignKey(PlanMove, on_delete=models.PROTECT, related_name="items")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["move", "id"]
        constraints = [
            models.UniqueConstraint(fields=["move", "subscription"], name="effects_moveitem_once"),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(reason="") | Q(state__in=["waiting", "moved"], reason=""),
                name="effects_moveitem_state",
            ),
        ]
        indexes = [models.Index(fields=["move"], condition=Q(state="waiting"), name="effects_moveitem_waiting")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.state}"


class EffectRun(models.Model):
    """What one proposed change would have cost each customer over the last closed period, counted in the background."""

    price_version = models.ForeignKey(PriceVersion, null=True, on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, null=True, on_delete=models.PROTECT, related_name="+")
    move = models.ForeignKey(PlanMove, null=True, on_delete=models.PROTECT, related_name="effect_runs")
    as_of = models.DateTimeField(help_text="The period of each customer is the latest that was over then.")
    total = models.PositiveIntegerField(default=0)
    asked_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_version__isnull=False, plan_version=None, move=None)
                | Q(price_version=None, plan_version__isnull=False, move=None)
                | Q(price_version=None, plan_version=None, move__isnull=False),
                name="effects_run_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"Effect of {self.subject}"

    @property
    def plan(self) -> Plan:
        """Whose customers are asked about."""
        match self.subject:
            case PriceVersion() as price:
                return price.charge.plan
            case PlanVersion() as terms:
                return terms.plan
            case move:
                return move.source

    @property
    def subject(self) -> PriceVersion | PlanVersion | PlanMove:
        found = self.price_version or self.plan_version or self.move
        assert found is not None  # noqa: S101  a CHECK has exactly one of them there
        return found


class Effect(models.Model):
    """One subscription's last closed period: as it is agreed, and as it would have been."""

    run = models.ForeignKey(EffectRun, on_delete=models.PROTECT, related_name="effects")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    currency = models.CharField(max_length=3)
    old_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    new_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    problem = models.CharField(max_length=300, blank=True, help_text="Why there are no amounts.")

    class Meta:
        ordering = ["run", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "subscription"], name="effects_effect_once"),
            models.CheckConstraint(
                condition=Q(problem="", old_amount__isnull=False, new_amount__isnull=False)
                | (~Q(problem="") & Q(old_amount=None, new_amount=None)),
                name="effects_effect_whole",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.old_amount} to {self.new_amount} {self.currency}"
