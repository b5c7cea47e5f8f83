"""Release a batch: every gate of every payee is looked at again in the moment the money is let go."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts import queries, waiting
from compliance.payouts.models import Payable, Payee, Payout, PayoutBatch, ReleaseDecision
from compliance.payouts.rules import judgement
from compliance.payouts.rules.judgement import Judgement, Outcome
from core import audit, money
from core.errors import NotAllowedError, NotFoundError


class OwnBatchError(NotAllowedError):
    """Whoever made a batch does not release it."""

    code = "four_eyes"


@transaction.atomic
def release_batch(*, batch_id: int, actor: Any, at: datetime) -> list[ReleaseDecision]:
    """Decide every payable that is still owed, and answer the standing decision about each payable of the batch.

    Each is released or blocked by itself. Repeating it decides only what was blocked before: nothing is paid twice.
    """
    roles.require_role(actor, Role.OPS, to="release payouts")
    asked = waiting.start()
    batch = PayoutBatch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFoundError(f"There is no payout batch {batch_id}.")
    if batch.created_by_id == actor.pk:
        raise OwnBatchError("You made this batch, so a colleague from ops has to release it.")
    queries.pin_requirements()
    payables = _lock_open_payables(batch)
    payees = {payable.payee_id: payable.payee for payable in payables}
    checks = queries.lock_checks(payees.keys())
    moment = waiting.moment_after(asked, at=at)
    judgements = queries.judge_payees(list(payees.values()), checks=checks, at=moment)
    decisions = _record(batch, payables, judgements, actor=actor, at=moment)
    _instruct(decisions)
    return queries.current_decisions(batch)


def _lock_open_payables(batch: PayoutBatch) -> list[Payable]:
    locked = Payable.objects.select_for_update(of=("self",)).filter(batch_item__batch=batch, withdrawn_at=None)
    unpaid = locked.exclude(pk__in=Payout.objects.values("payable")).select_related("payee")
    return list(unpaid.order_by("pk"))


def _record(
    batch: PayoutBatch, payables: Sequence[Payable], judgements: Mapping[int, Judgement], *, actor: Any, at: datetime
) -> list[ReleaseDecision]:
    """One decision and one link of the audit chain for each payable."""
    decisions = [_decision(batch, payable, judgements[payable.payee_id], actor=actor, at=at) for payable in payables]
    entries = audit.append_entries([_fact(decision) for decision in decisions], actor=actor, at=at) if decisions else []
    for decision, entry in zip(decisions, entries, strict=True):
        decision.audit_entry = entry
    return ReleaseDecision.objects.bulk_create(decisions)


def _decision(batch: PayoutBatch, payable: Payable, judged: Judgement, *, actor: Any, at: datetime) -> ReleaseDecision:
    return ReleaseDecision(
        batch=batch,
        payable=payable,
        outcome=judged.outcome,
        gates=judgement.gates_record(judged),
        inputs=_inputs(payable.payee, judged),
        reasons=list(judged.reasons),
        actor=actor,
        decided_at=at,
    )


def _inputs(payee: Payee, judged: Judgement) -> dict[str, Any]:
    requirement = judged.requirement
    return {
        "payee": payee.code,
        "legal_name": payee.sealed_name(),
        "kind": payee.kind,
        "program": payee.program,
        "market": payee.market,
        "gate_requirement": requirement.requirement_id if requirement else None,
        "effective_at": requirement.effective_at.isoformat() if requirement else None,
        "required": list(requirement.gates) if requirement else [],
    }


def _fact(decision: ReleaseDecision) -> audit.Fact:
    payable = decision.payable
    return audit.Fact(
        action=f"payable.{decision.outcome}",
        subject=f"payable:{payable.pk}",
        facts={
            "batch": decision.batch.reference,
            "reference": payable.reference,
            "amount": money.amount_text(payable.amount, currency=payable.currency),
            "currency": payable.currency,
            "gates": decision.gates,
            "inputs": decision.inputs,
            "reasons": decision.reasons,
        },
    )


def _instruct(decisions: Sequence[ReleaseDecision]) -> None:
    Payout.objects.bulk_create(
        Payout(
            payable=decision.payable,
            decision=decision,
            amount=decision.payable.amount,
            currency=decision.payable.currency,
            instructed_at=decision.decided_at,
        )
        for decision in decisions
        if decision.outcome == Outcome.RELEASED
    )
