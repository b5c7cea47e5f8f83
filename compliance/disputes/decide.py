"""What people decide about a dispute: upheld, rejected or withdrawn; the invoice itself is touched by none of it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from compliance.disputes import letter, move, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from core import work

DECIDERS = (Role.OPS, Role.FINANCE)


@transaction.atomic
def uphold(*, dispute_id: int, answer: str, actor: Any, at: datetime) -> Dispute:
    """The customer is right: a correction follows by the paths that correct everything, and is linked."""
    return _answer(
        dispute_id, to_status=lifecycle.CORRECTING, outcome=lifecycle.UPHELD, answer=answer, actor=actor, at=at
    )


@transaction.atomic
def reject(*, dispute_id: int, answer: str, actor: Any, at: datetime) -> Dispute:
    """The bill stands; only where its chain reproduces it."""
    return _answer(
        dispute_id, to_status=lifecycle.CLOSED, outcome=lifecycle.REJECTED, answer=answer, actor=actor, at=at
    )


@transaction.atomic
def withdraw(*, dispute_id: int, reason: str, actor: Any, at: datetime) -> Dispute:
    """The customer told somebody here that they no longer contest it."""
    roles.require_role(actor, *DECIDERS, to="withdraw a dispute for its customer")
    said = talk.clean(reason, pointer="/reason")
    return _withdraw(move.lock_dispute(dispute_id=dispute_id), reason=said, actor=actor, at=at)


@transaction.atomic
def withdraw_as_customer(*, customer: Customer, dispute_id: int, actor: Any, at: datetime) -> Dispute:
    """A person of the customer takes it back; NotFoundError for the dispute of anybody else."""
    dispute = talk.lock_own(customer=customer, dispute_id=dispute_id)
    return _withdraw(dispute, reason="Withdrawn in the portal.", actor=actor, at=at)


def _answer(dispute_id: int, *, to_status: str, outcome: str, answer: str, actor: Any, at: datetime) -> Dispute:
    roles.require_role(actor, *DECIDERS, to="decide a dispute")
    said = talk.clean(answer, pointer="/answer")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    move.require_move(dispute, to_status=to_status, outcome=outcome)
    work.enqueue(kind=letter.JOB, key=str(dispute.pk), arguments={"dispute_id": dispute.pk}, at=at)
    move.move_dispute(dispute, to_status=to_status, outcome=outcome, actor=actor, reason=said, at=at)
    talk.tell_customer(dispute, text=f"Your dispute is {outcome}. {said}", actor=actor, at=at)
    return dispute


def _withdraw(dispute: Dispute, *, reason: str, actor: Any, at: datetime) -> Dispute:
    outcome = lifecycle.WITHDRAWN
    move.require_move(dispute, to_status=lifecycle.CLOSED, outcome=outcome)
    move.move_dispute(dispute, to_status=lifecycle.CLOSED, outcome=outcome, actor=actor, reason=reason, at=at)
    talk.tell_customer(dispute, text="This dispute is withdrawn.", actor=actor, at=at)
    return dispute
