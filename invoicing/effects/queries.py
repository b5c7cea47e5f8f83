"""What runs and moves say of themselves: progress, sums and the greatest effects."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Abs

from invoicing.effects.models import Effect, EffectRun, MoveItem, PlanMove


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How far a run is, and what it has found so far."""

    total: int
    done: int
    dearer: int
    cheaper: int
    failed: int
    old_amount: Decimal
    new_amount: Decimal


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """How many subscriptions of a move wait, have moved and have not."""

    waiting: int
    moved: int
    refused: int


def summary_of(run: EffectRun) -> RunSummary:
    sums = run.effects.aggregate(
        done=Count("pk"),
        dearer=Count("pk", filter=Q(new_amount__gt=F("old_amount"))),
        cheaper=Count("pk", filter=Q(new_amount__lt=F("old_amount"))),
        failed=Count("pk", filter=~Q(problem="")),
        old_amount=Sum("old_amount", default=Decimal(0)),
        new_amount=Sum("new_amount", default=Decimal(0)),
    )
    return RunSummary(total=run.total, **sums)


def effects_of(run: EffectRun) -> QuerySet[Effect]:
    """Those without figures first, then by how much changes."""
    change = F("new_amount") - F("old_amount")
    found = run.effects.select_related("customer").annotate(change=change)
    return found.order_by(Abs("change").desc(nulls_first=True), "pk")


def progress_of(move: PlanMove) -> MoveProgress:
    counts = dict(move.items.values_list("state").annotate(Count("pk")))
    states = MoveItem.State
    return MoveProgress(*(counts.get(state, 0) for state in (states.WAITING, states.MOVED, states.REFUSED)))
