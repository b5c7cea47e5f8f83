"""Sets the dispute policy: owners and due times, as the next version."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes.models import DisputePolicy
from compliance.disputes.rules import due
from core import audit, locks
from core.errors import InvalidInputError, NotFoundError

SETTERS = (Role.FINANCE, Role.OPS)


class DisputePolicyError(InvalidInputError):
    """Owners or hours by which no dispute could be worked."""

    code = "dispute_policy_unusable"


def set_policy(*, terms: Mapping[str, int | str], reason: str, actor: Any, at: datetime) -> DisputePolicy:
    """The next version; what `terms` leaves out stays. Open disputes keep the version they were opened under."""
    roles.require_role(actor, *SETTERS, to="set the dispute policy")
    if not reason.strip():
        raise DisputePolicyError("Say why it changes.", pointer="/reason")
    with transaction.atomic():
        locks.lock_exclusive(locks.LockClass.AUDIT)  # versions follow each other as their entries in the chain do
        now = current_policy()
        made = due.Terms(**(asdict(now.terms) | dict(terms)))
        if problem := due.problem_of(made):
            raise DisputePolicyError(problem[1], pointer=f"/{problem[0]}")
        facts = {**asdict(made), "reason": reason.strip()}
        subject = f"dispute_policy:{now.version + 1}"
        entry = audit.append_entry(action="dispute_policy.set", subject=subject, actor=actor, facts=facts, at=at)
        return DisputePolicy.objects.create(
            version=now.version + 1, **facts, set_by=actor, set_at=at, audit_entry=entry
        )


def current_policy() -> DisputePolicy:
    """The version that counts for what is opened now; migrations write the first."""
    found = DisputePolicy.objects.order_by("-version").first()
    if found is None:
        raise NotFoundError("There is no dispute policy yet.")
    return found
