"""Say which gates a program asks for in a market, from an instant on."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts import checks
from compliance.payouts.models import GateRequirement, Payee
from compliance.payouts.rules.gates import GateKind, PayeeKind
from core import audit
from core.errors import DomainError, InvalidInputError


class RequirementExistsError(DomainError):
    """Two versions of one requirement cannot begin at the same instant."""

    code = "requirement_exists"


@transaction.atomic
def set_requirement(
    *,
    program: str,
    market: str,
    payee_kind: str,
    gates: Collection[str],
    effective_at: datetime | None,
    reason: str,
    actor: Any,
    at: datetime,
) -> GateRequirement:
    """Append a version, in force at once if `effective_at` is None, and open the checks that it newly asks for."""
    roles.require_role(actor, Role.OPS, to="set gate requirements")
    _require_usable(gates=gates, payee_kind=payee_kind, effective_at=effective_at, reason=reason, at=at)
    requirement = GateRequirement(
        program=program,
        market=market,
        payee_kind=payee_kind,
        gates=[str(kind) for kind in GateKind if kind in gates],
        effective_at=effective_at or at,
        reason=reason.strip(),
        created_by=actor,
        created_at=at,
    )
    _save(requirement)
    audit.append_entry(
        action="gate_requirement.set",
        subject=f"gate_requirement:{requirement.pk}",
        actor=actor,
        facts={
            "program": program,
            "market": market,
            "payee_kind": payee_kind,
            "gates": requirement.gates,
            "effective_at": requirement.effective_at.isoformat(),
            "reason": requirement.reason,
        },
        at=at,
    )
    # Read under the audit chain's lock, as in `register_payee`.
    payees = Payee.objects.filter(program=program, market=market, kind=payee_kind)
    checks.open_checks(payee_ids=payees.values_list("pk", flat=True), gates=requirement.gates, at=at)
    return requirement


def _require_usable(
    *, gates: Collection[str], payee_kind: str, effective_at: datetime | None, reason: str, at: datetime
) -> None:
    unknown = sorted({str(gate) for gate in gates} - {str(kind) for kind in GateKind})
    if not gates or unknown:
        raise InvalidInputError(
            f"Name at least one gate out of {', '.join(GateKind)}; a program without gates would pay anybody.",
            pointer="/gates",
        )
    if payee_kind not in list(PayeeKind):
        raise InvalidInputError(f"The kind of payee is {' or '.join(PayeeKind)}.", pointer="/payee_kind")
    if effective_at is not None and effective_at < at:
        raise InvalidInputError(
            "Requirements cannot begin in the past: money may have moved under the old ones.", pointer="/effective_at"
        )
    if not reason.strip():
        raise InvalidInputError("Say why the requirement changes.", pointer="/reason")


def _save(requirement: GateRequirement) -> None:
    try:
        with transaction.atomic():
            requirement.save(force_insert=True)
    except IntegrityError as error:
        raise RequirementExistsError(
            "A version that begins at this very instant exists already; choose another instant."
        ) from error
