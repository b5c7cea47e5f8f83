"""Propose the next version of a policy, or take a proposal back; nothing counts before three people signed it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts import roles
from accounts.roles import Role
from core import audit, locks
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.policy import references
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import lifecycle
from invoicing.policy.rules import terms as policy_terms
from invoicing.pricing.rules import instants

Status = TriggerPolicy.Status
PROPOSERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)


class PolicyDecidedError(DomainError):
    """The version was signed by all, or withdrawn, already."""

    code = "policy_decided"


@transaction.atomic
def propose_policy(
    *, program: str, terms: Any, effective_at: datetime | None, reason: str, actor: Any, at: datetime
) -> TriggerPolicy:
    """Write down the next version of a program's policy; its content is fixed from here on, so that it can be signed.

    Without an instant it begins as soon as it is signed. An instant in the past would decide over what was decided
    already, so it is refused.
    """
    roles.require_role(actor, *PROPOSERS, to="propose a trigger policy")
    begins = effective_at or at
    instants.check_instant(begins, pointer="/effective_at")
    if begins < at:
        raise InvalidInputError("A policy begins now or later, never in the past.", pointer="/effective_at")
    if not reason.strip():
        raise InvalidInputError("Say why this version is proposed.", pointer="/reason")
    read = policy_terms.parse_terms(terms)
    references.require_known(read, program=program)
    written = policy_terms.write_terms(read)
    locks.lock_exclusive(locks.LockClass.POLICY)  # the next version number
    newest = TriggerPolicy.objects.filter(program=program).aggregate(newest=Max("version"))["newest"] or 0
    policy = TriggerPolicy.objects.create(
        program=program,
        version=newest + 1,
        effective_at=begins,
        terms=written,
        content_hash=policy_terms.hash_of(program=program, version=newest + 1, effective_at=begins, terms=written),
        reason=reason.strip(),
        proposed_by=actor,
        proposed_at=at,
    )
    record(policy, from_status="", actor=actor, facts={"reason": policy.reason}, at=at)
    return policy


@transaction.atomic
def withdraw_policy(*, policy_id: int, reason: str, actor: Any, at: datetime) -> TriggerPolicy:
    """Take back a proposal that not everybody signed; it stays on record."""
    roles.require_role(actor, *PROPOSERS, to="withdraw a proposed trigger policy")
    if not reason.strip():
        raise InvalidInputError("Say why it is withdrawn.", pointer="/reason")
    policy = lock_proposal(policy_id)
    policy.withdrawal_reason = reason.strip()
    move_policy(policy, to_status=Status.WITHDRAWN, actor=actor, facts={"reason": policy.withdrawal_reason}, at=at)
    return policy


def lock_proposal(policy_id: int) -> TriggerPolicy:
    """Read the version and hold its row until the transaction ends; PolicyDecidedError if it is decided."""
    policy = TriggerPolicy.objects.select_for_update(of=("self",)).filter(pk=policy_id).first()
    if policy is None:
        raise NotFoundError(f"There is no trigger policy {policy_id}.")
    if policy.status != Status.PROPOSED:
        detail = f"{policy} is {policy.status} already; propose the next version instead."
        raise PolicyDecidedError(detail)
    return policy


def move_policy(policy: TriggerPolicy, *, to_status: Status, actor: Any, facts: dict[str, Any], at: datetime) -> None:
    """The one mover: sets the status of a locked version and keeps the move in the audit chain."""
    from_status = policy.status
    policy.status = to_status
    policy.decided_at = at
    policy.save(update_fields=["status", "decided_at", "withdrawal_reason"])
    record(policy, from_status=from_status, actor=actor, facts=facts, at=at)


def record(policy: TriggerPolicy, *, from_status: str, actor: Any, facts: dict[str, Any], at: datetime) -> None:
    audit.append_entry(
        action=lifecycle.action_of(from_status, policy.status),
        subject=f"policy:{policy.pk}",
        actor=actor,
        facts={
            "program": policy.program,
            "version": policy.version,
            "effective_at": policy.effective_at.isoformat(),
            "content_hash": policy.content_hash,
            **facts,
        },
        at=at,
    )
