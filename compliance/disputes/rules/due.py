"""Who owns a step of a dispute and until when it is to be done, by a version of the dispute policy."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.disputes.rules import lifecycle

HOURS_MAX = 24 * 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One version of the dispute policy; hours are by the clock, weekends included."""

    evidence_hours: int
    decision_hours: int
    repair_hours: int
    correction_hours: int
    update_hours: int
    ops_owner: str
    engineering_owner: str
    correction_owner: str


HOURS = ("evidence_hours", "decision_hours", "repair_hours", "correction_hours", "update_hours")
OWNERS = ("ops_owner", "engineering_owner", "correction_owner")
_STEPS = {
    lifecycle.EVIDENCE: ("ops_owner", "evidence_hours"),
    lifecycle.OPS: ("ops_owner", "decision_hours"),
    lifecycle.ENGINEERING: ("engineering_owner", "repair_hours"),
    lifecycle.CORRECTING: ("correction_owner", "correction_hours"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """The role that owns it, and until when it is to be done."""

    owner: str
    due_at: datetime


def step_of(status: str, *, terms: Terms, at: datetime) -> Step | None:
    """The step that begins at this instant; None once the dispute is closed."""
    if status not in _STEPS:
        return None
    owner, hours = _STEPS[status]
    return Step(getattr(terms, owner), at + timedelta(hours=getattr(terms, hours)))


def update_due(*, terms: Terms, at: datetime) -> datetime:
    """When the customer is to hear of it again, if they heard at this instant."""
    return at + timedelta(hours=terms.update_hours)


def problem_of(terms: Terms) -> tuple[str, str] | None:
    """The first field that cannot be used, and why."""
    for name in HOURS:
        if not 1 <= getattr(terms, name) <= HOURS_MAX:
            return name, f"Hours are a whole number from 1 to {HOURS_MAX}."
    for name in OWNERS:
        if getattr(terms, name) not in OWNER_ROLES:
            return name, f"An owner is one of {', '.join(OWNER_ROLES)}."
    return None


OWNER_ROLES = ("ops", "engineering", "finance")
