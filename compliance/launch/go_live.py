"""Declare a program live, or stop it: recorded, with every box as it stood."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.launch import opened, standing
from compliance.launch.models import GoLiveDecision
from core import activation, audit, locks
from core.errors import DomainError, InvalidInputError

DECIDERS = (Role.PRODUCT, Role.FINANCE, Role.OPS)
Outcome = GoLiveDecision.Outcome


class NothingDecidedError(DomainError):
    """The program stands so already."""

    code = "nothing_decided"


@transaction.atomic
def decide(*, program: str, outcome: str, reason: str, actor: Any, at: datetime) -> GoLiveDecision:
    """Declare it live, which guards may refuse, or stop it, which nothing may; NotYetError names what stands open."""
    roles.require_role(actor, *DECIDERS, to="decide whether a program is live")
    if outcome not in Outcome.values:
        raise InvalidInputError(f"A program is one of: {', '.join(Outcome.values)}.", pointer="/outcome")
    if not reason.strip():
        raise InvalidInputError("Say why.", pointer="/reason")
    locks.lock_exclusive(locks.LockClass.LAUNCH)  # of two decisions about a program the second sees the first
    if (outcome == Outcome.LIVE) == is_live(program):
        raise NothingDecidedError(f"{program} is {'live' if is_live(program) else 'not live'} already.")
    decision = GoLiveDecision(
        program=program,
        outcome=outcome,
        reason=reason.strip(),
        run=standing.latest_check(),
        boxes=[one.as_json() for one in opened.judge(program, at=at)],
        decided_by=actor,
        decided_at=at,
    )
    if outcome == Outcome.LIVE:
        activation.require_unopposed(decision, at=at)
    facts = {"program": program, "reason": decision.reason, "boxes": decision.boxes}
    decision.audit_entry = audit.append_entry(
        action=f"launch.{outcome}", subject=f"program:{program}", actor=actor, facts=facts, at=at
    )
    decision.save(force_insert=True)
    return decision


def is_live(program: str) -> bool:
    """By the last decision about it; a program that nobody decided about is not."""
    last = GoLiveDecision.objects.filter(program=program).order_by("-pk").first()
    return last is not None and last.outcome == Outcome.LIVE
