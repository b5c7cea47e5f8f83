"""Whether a payee may be paid at an instant: every required gate, one verdict each, and one outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from compliance.payouts.rules import gates
from compliance.payouts.rules.gates import GateState


class Outcome(StrEnum):
    """The answer for one payable."""

    RELEASED = "released"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The version of the requirements in force for a program, market and kind of payee."""

    requirement_id: int
    effective_at: datetime
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """What is stored about one gate of one payee."""

    check_id: int
    stored: str
    expires_at: datetime | None
    decided_at: datetime | None
    audit_reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """One gate at the instant of the release, with what it rests on."""

    gate: str
    state: GateState
    is_open: bool
    detail: str
    check: CheckFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The outcome with every verdict; `reasons` says in sentences why it is blocked."""

    outcome: Outcome
    requirement: Requirement | None
    verdicts: tuple[GateVerdict, ...]
    reasons: tuple[str, ...]


def judge_payee(*, requirement: Requirement | None, checks: Mapping[str, CheckFacts], at: datetime) -> Judgement:
    """Released only if requirements are in force and every gate they name is open; anything unknown blocks."""
    if requirement is None or not requirement.gates:
        reason = "No gate requirements are in force for this program, market and kind of payee."
        return Judgement(outcome=Outcome.BLOCKED, requirement=None, verdicts=(), reasons=(reason,))
    verdicts = tuple(_judge_gate(gate, checks.get(gate), at=at) for gate in requirement.gates)
    reasons = tuple(
        f"{LABELS.get(verdict.gate, verdict.gate)}: {verdict.detail}" for verdict in verdicts if not verdict.is_open
    )
    outcome = Outcome.BLOCKED if reasons else Outcome.RELEASED
    return Judgement(outcome=outcome, requirement=requirement, verdicts=verdicts, reasons=reasons)


def gates_record(judged: Judgement) -> list[dict[str, Any]]:
    """The verdicts as plain JSON, as a release stores and answers them."""
    return [
        {
            "gate": verdict.gate,
            "state": str(verdict.state),
            "passed": verdict.is_open,
            "detail": verdict.detail,
            "gate_check": verdict.check.check_id if verdict.check else None,
            "expires_at": _instant(verdict.check.expires_at if verdict.check else None),
            "decided_at": _instant(verdict.check.decided_at if verdict.check else None),
            "audit_reference": verdict.check.audit_reference if verdict.check else None,
        }
        for verdict in judged.verdicts
    ]


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


LABELS = {"kyc": "KYC", "kyb": "KYB", "aml": "AML", "tax_form": "Tax form"}


def _judge_gate(gate: str, check: CheckFacts | None, *, at: datetime) -> GateVerdict:
    state = GateState.NOT_STARTED
    if check is not None:
        state = gates.state_at(stored=check.stored, expires_at=check.expires_at, at=at)
    expires_at = check.expires_at if check else None
    detail = _DETAILS[state].format(day=f"{expires_at:%d %b %Y %H:%M} UTC" if expires_at else "")
    if state == GateState.APPROVED and expires_at is None:
        detail = "approved, without an end"
    return GateVerdict(gate=gate, state=state, is_open=state in gates.OPEN, detail=detail, check=check)


_DETAILS = {
    GateState.NOT_STARTED: "not started",
    GateState.PENDING: "waiting for documents",
    GateState.NEEDS_REVIEW: "waiting for a review",
    GateState.APPROVED: "approved until {day}",
    GateState.EXPIRING: "approved, but only until {day}",
    GateState.EXPIRED: "expired on {day}",
    GateState.REJECTED: "rejected",
    GateState.SUSPENDED: "suspended",
}
