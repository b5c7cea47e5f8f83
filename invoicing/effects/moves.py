"""Moves all subscriptions of a plan: proposed with its effect, approved by another person, done in the background."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import roles
from core import audit, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.effects import run
from invoicing.effects.models import MoveItem, PlanMove
from invoicing.pricing import move as pricing_move
from invoicing.pricing.models import Plan, ProposalStatus
from invoicing.pricing.proposals import APPROVERS, AUTHORS, OwnProposalError
from invoicing.pricing.rules import instants

MOVE_JOB = "plan_move"
CHUNK = 500
State = MoveItem.State

LIST_SUBSCRIPTIONS = """
    INSERT INTO effects_moveitem (move_id, subscription_id, state, reason)
    SELECT %(move)s, subscription_id, 'waiting', ''
    FROM pricing_subscriptionphase
    WHERE plan_id = %(plan)s AND starts_at <= %(at)s AND (ends_at IS NULL OR ends_at > %(at)s)
    ORDER BY subscription_id
    ON CONFLICT (move_id, subscription_id) DO NOTHING
"""


class MoveDecidedError(DomainError):
    """The move was approved or withdrawn already."""

    code = "move_decided"


class MoveUnfitError(InvalidInputError):
    """The target bills in another currency, at another interval, or has no approved terms then."""

    code = "move_unfit"


def propose_move(*, source: Plan, target: Plan, effective_at: datetime, actor: Any, at: datetime) -> PlanMove:
    """Propose to move everybody on `source`; what it would have cost each is counted at once, as a dry run.

    With `target` the same plan, the older prices that its subscriptions keep end at the instant.
    """
    roles.require_role(actor, *sorted(AUTHORS), to="propose to move subscriptions")
    instants.check_instant(effective_at, pointer="/effective_at")
    _check_target(source, target, effective_at)
    with transaction.atomic():
        move = PlanMove.objects.create(
            source=source, target=target, effective_at=effective_at, created_by=actor, created_at=at
        )
        facts = {"from": source.code, "to": target.code, "effective_at": effective_at.isoformat()}
        audit.append_entry(action="move_proposed", subject=f"move:{move.pk}", actor=actor, facts=facts, at=at)
        run.ask(subject=move, actor=actor, at=at)
    return move


def approve_move(*, move_id: int, actor: Any, at: datetime) -> PlanMove:
    """Let a worker move them; refused to the person who proposed it."""
    roles.require_role(actor, *APPROVERS, to="approve a move of subscriptions")
    with transaction.atomic():
        move = _lock_proposed(move_id)
        if move.created_by_id == actor.pk:
            raise OwnProposalError("You proposed this move; somebody else in finance has to approve it.")
        _decide(move, ProposalStatus.APPROVED, actor=actor, at=at)
        work.enqueue(kind=MOVE_JOB, key=str(move.pk), arguments={"move_id": move.pk}, at=at)
    return move


def withdraw_move(*, move_id: int, actor: Any, at: datetime) -> PlanMove:
    """Turn a proposed move down; it is kept."""
    roles.require_role(actor, *sorted(AUTHORS), to="withdraw a move of subscriptions")
    with transaction.atomic():
        move = _lock_proposed(move_id)
        _decide(move, ProposalStatus.WITHDRAWN, actor=actor, at=at)
    return move


def carry_out(*, move_id: int, at: datetime) -> None:
    """Move them chunk by chunk, each chunk whole or not at all; begun again, it goes on with those that wait."""
    move = PlanMove.objects.select_related("source", "target", "decided_by").get(
        pk=move_id, status=ProposalStatus.APPROVED
    )
    with connection.cursor() as cursor:
        cursor.execute(LIST_SUBSCRIPTIONS, {"move": move.pk, "plan": move.source_id, "at": move.effective_at})
    while _carry_out_chunk(move, at=at):
        pass
    PlanMove.objects.filter(pk=move.pk, finished_at=None).update(finished_at=at)


def find_move(move_id: int) -> PlanMove:
    """One move; NotFoundError where there is none."""
    move = PlanMove.objects.filter(pk=move_id).first()
    if move is None:
        raise NotFoundError(f"There is no move {move_id}.")
    return move


def _carry_out_chunk(move: PlanMove, *, at: datetime) -> bool:
    with transaction.atomic():
        waiting = MoveItem.objects.select_for_update().filter(move=move, state=State.WAITING).order_by("pk")[:CHUNK]
        items = {item.subscription_id: item for item in waiting}
        if not items:
            return False
        refused = _move(list(items), move=move, at=at)
        for subscription_id, item in items.items():
            item.reason = refused.get(subscription_id, "")
            item.state = State.REFUSED if item.reason else State.MOVED
        MoveItem.objects.bulk_update(items.values(), ["state", "reason"])
    return True


def _move(subscription_ids: list[int], *, move: PlanMove, at: datetime) -> dict[int, str]:
    if move.source_id == move.target_id:
        return pricing_move.release_subscriptions(
            subscription_ids, plan=move.source, effective_at=move.effective_at, actor=move.decided_by, at=at
        )
    return pricing_move.move_subscriptions(
        subscription_ids,
        source=move.source,
        target=move.target,
        effective_at=move.effective_at,
        actor=move.decided_by,
        at=at,
    )


def _check_target(source: Plan, target: Plan, effective_at: datetime) -> None:
    if (source.currency, source.bills_every) != (target.currency, target.bills_every):
        detail = f"{source.code} bills by {source.bills_every} in {source.currency}, {target.code} by"
        raise MoveUnfitError(f"{detail} {target.bills_every} in {target.currency}.", pointer="/target")
    if not target.versions.filter(status=ProposalStatus.APPROVED, effective_at__lte=effective_at).exists():
        detail = f"No version of plan {target.code} is approved for {effective_at:%Y-%m-%d}. Have one approved first."
        raise MoveUnfitError(detail, pointer="/target")


def _lock_proposed(move_id: int) -> PlanMove:
    find_move(move_id)
    move = PlanMove.objects.select_for_update().get(pk=move_id)
    if move.status != ProposalStatus.PROPOSED:
        raise MoveDecidedError(f"This move is {move.get_status_display().lower()} already; propose another one.")
    return move


def _decide(move: PlanMove, verdict: ProposalStatus, *, actor: Any, at: datetime) -> None:
    move.status, move.decided_by, move.decided_at = verdict, actor, at
    move.save(update_fields=["status", "decided_by", "decided_at"])
    audit.append_entry(action=f"move_{verdict}", subject=f"move:{move.pk}", actor=actor, facts={}, at=at)
