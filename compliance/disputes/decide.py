"""What people decide about a dispute: upheld, rejected or withdrawn; the invoice itself is touched by none of it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from compliance.disputes import closing, keeping, letter, move, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from core import work

DECIDERS = (Role.OPS, Role.FINANCE)


@transaction.atomic
def uphold(*, dispute_id: int, answer: str, keep_hold: str = "", actor: Any, at: datetime) -> Dispute:
    """The customer is right: a correction follows by the paths that correct everything, and is linked.

    `keep_hold` says why the hold on collection of this dispute stands after it closes; without it, it ends then.
    """
    dispute, said = _lock_to_answer(dispute_id, answer=answer, actor=actor)
    move.require_move(dispute, to_status=lifecycle.CORRECTING, outcome=lifecycle.UPHELD)
    keeping.keep_hold_if_said(dispute, reason=keep_hold, actor=actor, at=at)
    move.move_dispute(
        dispute, to_status=lifecycle.CORRECTING, outcome=lifecycle.UPHELD, actor=actor, reason=said, at=at
    )
    talk.tell_customer(dispute, text=_told(lifecycle.UPHELD, said), actor=actor, at=at)
    _have_letter_written(dispute, at=at)
    return dispute


@transaction.atomic
def reject(*, dispute_id: int, answer: str, keep_hold: str = "", actor: Any, at: datetime) -> Dispute:
    """The bill stands; only where its chain reproduces it. For `keep_hold` see `uphold`."""
    dispute, said = _lock_to_answer(dispute_id, answer=answer, actor=actor)
    move.require_move(dispute, to_status=lifecycle.CLOSED, outcome=lifecycle.REJECTED)
    keeping.keep_hold_if_said(dispute, reason=keep_hold, actor=actor, at=at)
    outcome = lifecycle.REJECTED
    closing.close_dispute(dispute, outcome=outcome, reason=said, told=_told(outcome, said), actor=actor, at=at)
    _have_letter_written(dispute, at=at)
    return dispute


@transaction.atomic
def withdraw(*, dispute_id: int, reason: str, keep_hold: str = "", actor: Any, at: datetime) -> Dispute:
    """The customer told somebody here that they no longer contest it. For `keep_hold` see `uphold`."""
    roles.require_role(actor, *DECIDERS, to="withdraw a dispute for its customer")
    said = talk.clean(reason, pointer="/reason")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    move.require_move(dispute, to_status=lifecycle.CLOSED, outcome=lifecycle.WITHDRAWN)
    keeping.keep_hold_if_said(dispute, reason=keep_hold, actor=actor, at=at)
    return _withdraw(dispute, reason=said, actor=actor, at=at)


@transaction.atomic
def withdraw_as_customer(*, customer: Customer, dispute_id: int, actor: Any, at: datetime) -> Dispute:
    """A person of the customer takes it back; NotFoundError for the dispute of anybody else."""
    dispute = talk.lock_own(customer=customer, dispute_id=dispute_id)
    return _withdraw(dispute, reason="Withdrawn in the portal.", actor=actor, at=at)


def _lock_to_answer(dispute_id: int, *, answer: str, actor: Any) -> tuple[Dispute, str]:
    roles.require_role(actor, *DECIDERS, to="decide a dispute")
    said = talk.clean(answer, pointer="/answer")
    return move.lock_dispute(dispute_id=dispute_id), said


def _told(outcome: str, answer: str) -> str:
    return f"Your dispute is {outcome}. {answer}"


def _have_letter_written(dispute: Dispute, *, at: datetime) -> None:
    work.enqueue(kind=letter.JOB, key=str(dispute.pk), arguments={"dispute_id": dispute.pk}, at=at)


def _withdraw(dispute: Dispute, *, reason: str, actor: Any, at: datetime) -> Dispute:
    told = "This dispute is withdrawn."
    closing.close_dispute(dispute, outcome=lifecycle.WITHDRAWN, reason=reason, told=told, actor=actor, at=at)
    return dispute
