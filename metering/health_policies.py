"""Says from when on a change in what comes in is called a shift: the next version of the health policy."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import roles
from core import audit, locks
from core.errors import InvalidInputError, NotFoundError
from metering import reviews
from metering.models import HealthPolicy
from metering.rules import watching

FIGURES = tuple(watching.Watch.__dataclass_fields__)


class HealthPolicyError(InvalidInputError):
    """Figures by which nothing could be watched."""

    code = "health_policy_unusable"


def set_policy(*, figures: Mapping[str, int | Decimal], reason: str, actor: Any, at: datetime) -> HealthPolicy:
    """The next version, in force from the next minute that is watched; what `figures` leaves out stays as it is.

    What was opened under an earlier version keeps naming that one.
    """
    roles.require_role(actor, *reviews.REVIEWERS, to="set the health policy")
    if not reason.strip():
        raise HealthPolicyError("Say why it changes.", pointer="/reason")
    with transaction.atomic():
        locks.lock_exclusive(locks.LockClass.AUDIT)  # versions follow each other as their entries in the chain do
        now = current_policy()
        values = {name: getattr(now, name) for name in FIGURES} | dict(figures)
        for problem in watching.problems_of(watching.Watch(**values)):
            raise HealthPolicyError(problem.detail, pointer=f"/{problem.field}")
        made = HealthPolicy.objects.create(
            version=now.version + 1, **values, reason=reason, created_by=actor, created_at=at
        )
        facts = {name: str(value) for name, value in values.items()} | {"reason": reason}
        audit.append_entry(
            action="health_policy.set", subject=f"health_policy:{made.version}", actor=actor, facts=facts, at=at
        )
    return made


def current_policy() -> HealthPolicy:
    """The version that counts; migrations write the first."""
    found = HealthPolicy.objects.order_by("-version").first()
    if found is None:
        raise NotFoundError("There is no health policy yet.")
    return found
