"""Decide about a gate: the only door through which a gate check changes its state."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts import waiting
from compliance.payouts.models import GateCheck, GateDecision
from compliance.payouts.rules import lifecycle
from compliance.payouts.rules.lifecycle import Verdict
from core import audit, history, personal_keys, told
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry

REASON_LENGTH_MIN = 5


class GateMoveError(DomainError):
    """The verdict does not follow from where the check stands."""

    code = "gate_move"


class OwnPayeeError(NotAllowedError):
    """Whoever entered a payee does not open its gates."""

    code = "four_eyes"


@transaction.atomic
def decide_gate(
    *, check_id: int, verdict: str, reason: str, evidence: str, expires_at: datetime | None, actor: Any, at: datetime
) -> GateDecision:
    """Record one verdict and move the check; a release that runs at the same time sees all of it or nothing."""
    roles.require_role(actor, Role.OPS, to="decide gate checks")
    decided = _read_verdict(verdict)
    asked = waiting.start()
    # The row lock is what a release waits for, or what waits for it.
    check = GateCheck.objects.select_for_update(of=("self",)).select_related("payee").filter(pk=check_id).first()
    if check is None:
        raise NotFoundError(f"There is no gate check {check_id}.")
    moment = waiting.moment_after(asked, at=at)
    _require_allowed(check, verdict=decided, actor=actor)
    decision = GateDecision(
        gate_check=check,
        verdict=decided,
        from_state=check.state,
        to_state=lifecycle.LEADS_TO[decided],
        reason=reason.strip(),
        evidence=evidence.strip(),
        evidence_files=told.kept_within(list(check.evidence_files.values("name", "sha256"))),
        expires_at=expires_at,
        actor=actor,
        decided_at=moment,
    )
    _require_grounds(decision)
    decision.reason = personal_keys.tell_about(check.payee, decision.reason)
    decision.evidence = personal_keys.tell_about(check.payee, decision.evidence)
    decision.audit_entry = _append_audit(decision)
    decision.save(force_insert=True)
    _move(check, decision)
    return decision


def _read_verdict(verdict: str) -> Verdict:
    try:
        return Verdict(verdict)
    except ValueError as error:
        raise InvalidInputError(f"The verdict is one of {', '.join(Verdict)}.", pointer="/verdict") from error


def _require_allowed(check: GateCheck, *, verdict: Verdict, actor: Any) -> None:
    if not lifecycle.is_allowed(stored=check.state, verdict=verdict):
        raise GateMoveError(
            f"This check is {check.get_state_display().lower()}: it cannot be moved by {verdict!s} from there."
        )
    if verdict == Verdict.APPROVE and check.payee.created_by_id == actor.pk:
        raise OwnPayeeError("You entered this payee, so a colleague from ops has to approve its gates.")


def _require_grounds(decision: GateDecision) -> None:
    if len(decision.reason) < REASON_LENGTH_MIN:
        raise InvalidInputError(
            f"Give a reason of at least {REASON_LENGTH_MIN} characters that a colleague will understand in a year.",
            pointer="/reason",
        )
    if decision.verdict != Verdict.APPROVE:
        if decision.expires_at is not None:
            raise InvalidInputError("Only an approval has an end.", pointer="/expires_at")
        return
    if not decision.evidence and not decision.evidence_files:
        raise InvalidInputError("Say what was looked at, or add the document first.", pointer="/evidence")
    if decision.expires_at is not None and decision.expires_at <= decision.decided_at:
        raise InvalidInputError("The approval would be over already; give a later end.", pointer="/expires_at")


def _append_audit(decision: GateDecision) -> AuditEntry:
    check = decision.gate_check
    return audit.append_entry(
        action=f"gate_check.{decision.verdict}",
        subject=f"gate_check:{check.pk}",
        actor=decision.actor,
        facts={
            "payee": check.payee.code,
            "gate": check.kind,
            "from": decision.from_state,
            "to": decision.to_state,
            "reason": decision.reason,
            "evidence": decision.evidence,
            "evidence_files": decision.evidence_files,
            "expires_at": decision.expires_at.isoformat() if decision.expires_at else None,
        },
        at=decision.decided_at,
    )


def _move(check: GateCheck, decision: GateDecision) -> None:
    check.state = decision.to_state
    check.expires_at = decision.expires_at
    history.save_change(check, fields=["state", "expires_at"], actor=decision.actor, reason=decision.reason)
