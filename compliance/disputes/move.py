"""The one mover of disputes: nothing else sets a status."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes.models import Dispute, DisputeTransition
from compliance.disputes.rules import due, lifecycle
from core import audit, personal_keys
from core.errors import DomainError, NotFoundError

MOVED = (
    "status",
    "outcome",
    "revision",
    "path",
    "owner_role",
    "owner",
    "due_at",
    "update_due_at",
    "closed_at",
)


class WrongStepError(DomainError):
    """The step of the dispute does not allow this."""

    code = "wrong_state"


def lock_dispute(*, dispute_id: int) -> Dispute:
    """Read the dispute and hold its row until the transaction ends."""
    disputes = Dispute.objects.select_for_update(of=("self",)).select_related(
        "invoice", "line", "customer", "policy", "owner"
    )
    found = disputes.filter(pk=dispute_id).first()
    if found is None:
        raise NotFoundError(f"There is no dispute {dispute_id}.")
    return found


def require_move(dispute: Dispute, *, to_status: str, outcome: str = "") -> None:
    """WrongStepError unless the table allows it; asked before any other work is done for the move."""
    if not lifecycle.is_allowed(dispute.status, to_status, outcome=outcome):
        raise WrongStepError(lifecycle.refusal(dispute.status, to_status, outcome=outcome))


def move_dispute(
    dispute: Dispute,
    *,
    to_status: str,
    outcome: str = "",
    actor: Any,
    reason: str = "",
    facts: dict[str, Any] | None = None,
    at: datetime,
) -> DisputeTransition:
    """Set the status of a locked dispute with the owner and due time of the step that begins, and keep the move."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a dispute is moved inside the transaction that locked it")
    require_move(dispute, to_status=to_status, outcome=outcome)
    from_status, revision = dispute.status, dispute.revision + 1
    step = due.step_of(to_status, terms=dispute.policy.terms, at=at)
    dispute.status, dispute.outcome, dispute.revision = to_status, outcome, revision
    dispute.owner_role = step.owner if step else ""
    dispute.due_at = step.due_at if step else None
    if not step or not _may_own(dispute.owner, step.owner):
        dispute.owner = None
    if not step:
        dispute.closed_at, dispute.update_due_at = at, None
    dispute.save(update_fields=MOVED)
    return keep_transition(dispute, from_status=from_status, actor=actor, reason=reason, facts=facts or {}, at=at)


def keep_transition(
    dispute: Dispute, *, from_status: str, actor: Any, reason: str, facts: dict[str, Any], at: datetime
) -> DisputeTransition:
    """The move that led to where the dispute stands, in its log and in the audit chain."""
    kept = personal_keys.tell_about(dispute.customer, reason) if actor is not None else reason
    said = {
        "from": from_status,
        "to": dispute.status,
        "outcome": dispute.outcome,
        "reason": kept,
        "invoice": dispute.invoice_id,
        "line": None if dispute.line is None else dispute.line.position,
        "content_hash": dispute.invoice_hash,
        **facts,
    }
    action = lifecycle.action_of(from_status, dispute.status, outcome=dispute.outcome)
    entry = audit.append_entry(action=action, subject=f"dispute:{dispute.pk}", actor=actor, facts=said, at=at)
    return DisputeTransition.objects.create(
        dispute=dispute,
        revision=dispute.revision,
        from_status=from_status,
        to_status=dispute.status,
        outcome=dispute.outcome,
        reason=kept,
        actor=actor,
        moved_at=at,
        audit_entry=entry,
    )


def _may_own(person: Any, role: str) -> bool:
    return person is not None and roles.has_role(person, [Role(role)])
