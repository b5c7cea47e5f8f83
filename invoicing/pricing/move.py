"""Moves many subscriptions at once: the same rules as for one, in a number of statements that does not grow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from core import audit
from core.audit import Fact
from invoicing.pricing import subscribe
from invoicing.pricing.models import KeptPrices, Plan, SubscriptionPhase

NOT_RUNNING = "The subscription is not running on this plan then."
CHANGES_LATER = "A change after that instant is agreed already."
PRICED_TWICE = "Another subscription of the customer prices one of the meters then."
WITH_THE_PLAN = "Everybody on the plan has its present prices from then on."
NOTHING_KEPT = "It keeps no older prices then."


def move_subscriptions(
    subscription_ids: Sequence[int], *, source: Plan, target: Plan, effective_at: datetime, actor: Any, at: datetime
) -> dict[int, str]:
    """Move these from one plan to another at an instant; why not, by id, for those that stay.

    Call it inside a transaction: agreements are locked until that ends.
    """
    subscribe.lock_agreements()
    last = _last_phases(subscription_ids)
    refused = {pk: reason for pk in subscription_ids if (reason := _why_not(last.get(pk), source, effective_at))}
    movable = [last[pk] for pk in subscription_ids if pk not in refused]
    for pk in _priced_twice(movable, target=target, effective_at=effective_at):
        refused[pk] = PRICED_TWICE
    moving = [phase for phase in movable if phase.subscription_id not in refused]
    following = [_following(phase, target=target, effective_at=effective_at, actor=actor, at=at) for phase in moving]
    for phase in moving:
        phase.ends_at = effective_at
    bulk_update_with_history(moving, SubscriptionPhase, ["ends_at"], default_user=actor)
    bulk_create_with_history(following, SubscriptionPhase, default_user=actor)
    facts = {"plan": target.code, "effective_at": effective_at.isoformat()}
    _record("plan_changed", (phase.subscription_id for phase in moving), facts=facts, actor=actor, at=at)
    return refused


def release_subscriptions(
    subscription_ids: Sequence[int], *, plan: Plan, effective_at: datetime, actor: Any, at: datetime
) -> dict[int, str]:
    """End at an instant the older prices that these keep of a plan; why not, by id, for those that keep none."""
    subscribe.lock_agreements()
    kept = KeptPrices.objects.select_for_update().filter(
        subscription__in=subscription_ids, plan=plan, starts_at__lt=effective_at, ends_at__gt=effective_at
    )
    released = set(kept.values_list("subscription_id", flat=True))
    kept.update(ends_at=effective_at, released_because=WITH_THE_PLAN)
    facts = {"plan": plan.code, "ends_at": effective_at.isoformat()}
    _record("kept_prices_end_moved", sorted(released), facts=facts, actor=actor, at=at)
    return {pk: NOTHING_KEPT for pk in subscription_ids if pk not in released}


def _last_phases(subscription_ids: Sequence[int]) -> dict[int, SubscriptionPhase]:
    phases = SubscriptionPhase.objects.select_for_update(of=("self",)).filter(subscription__in=subscription_ids)
    ordered = phases.select_related("subscription").order_by("subscription_id", "starts_at")
    return {phase.subscription_id: phase for phase in ordered}


def _why_not(phase: SubscriptionPhase | None, source: Plan, effective_at: datetime) -> str:
    if phase is None or phase.plan_id != source.pk:
        return NOT_RUNNING
    if phase.starts_at >= effective_at:
        return CHANGES_LATER
    return NOT_RUNNING if phase.ends_at is not None and phase.ends_at <= effective_at else ""


def _priced_twice(moving: Sequence[SubscriptionPhase], *, target: Plan, effective_at: datetime) -> set[int]:
    """Those whose customer pays for a meter of the target elsewhere; of two of one customer the first may move."""
    meters = list(target.charges.filter(meter__isnull=False).values_list("meter_id", flat=True))
    if not meters:
        return set()
    own = {phase.subscription_id for phase in moving}
    elsewhere = SubscriptionPhase.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=effective_at),
        subscription__customer__in={phase.subscription.customer_id for phase in moving},
        plan__charges__meter__in=meters,
    )
    taken = set(elsewhere.exclude(subscription__in=own).values_list("subscription__customer_id", flat=True))
    refused = set()
    for phase in moving:
        if phase.subscription.customer_id in taken:
            refused.add(phase.subscription_id)
        taken.add(phase.subscription.customer_id)
    return refused


def _following(
    phase: SubscriptionPhase, *, target: Plan, effective_at: datetime, actor: Any, at: datetime
) -> SubscriptionPhase:
    return SubscriptionPhase(
        subscription=phase.subscription,
        plan=target,
        starts_at=effective_at,
        ends_at=phase.ends_at,
        created_by=actor,
        created_at=at,
    )


def _record(
    action: str, subscription_ids: Iterable[int], *, facts: Mapping[str, str], actor: Any, at: datetime
) -> None:
    entries = [Fact(action=action, subject=f"subscription:{pk}", facts=dict(facts)) for pk in subscription_ids]
    audit.append_entries(entries, actor=actor, at=at)
