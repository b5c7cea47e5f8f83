"""What is asked about payees, gates and batches; a fixed number of queries however many there are."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum

from compliance.payouts.models import (
    GateCheck,
    GateDecision,
    GateRequirement,
    Payable,
    Payee,
    Payout,
    PayoutBatch,
    ReleaseDecision,
)
from compliance.payouts.rules import judgement
from compliance.payouts.rules.gates import EXPIRING_WITHIN, GateState
from compliance.payouts.rules.judgement import CheckFacts, Judgement, Requirement

PAYABLE_STATUSES = {
    "open": Q(payout=None, withdrawn_at=None),
    "paid": Q(payout__isnull=False),
    "withdrawn": Q(withdrawn_at__isnull=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One payable of a batch: judged now while it is open, or as it was decided."""

    payable: Payable
    judgement: Judgement | None
    decision: ReleaseDecision | None
    payout: Payout | None

    def gates(self) -> list[dict[str, Any]]:
        """Every gate's verdict: now while it is open, or as it was when it was decided."""
        if self.judgement is not None:
            return judgement.gates_record(self.judgement)
        return self.decision.gates if self.decision else []


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMoney:
    """What a payee is owed and has not been paid."""

    count: int
    amounts: tuple[tuple[str, Decimal], ...]


def pin_requirements() -> None:
    """Let nobody add a version of the requirements until the transaction ends; other releases may go on."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE payouts_gaterequirement IN SHARE MODE")


def lock_checks(payee_ids: Collection[int]) -> list[GateCheck]:
    """All gates of these payees, in one order for everybody; no decision about them can slip in any more."""
    checks = GateCheck.objects.select_for_update().filter(payee__in=payee_ids).order_by("pk")
    return list(checks)


def checks_of(payee_ids: Collection[int]) -> list[GateCheck]:
    return list(GateCheck.objects.filter(payee__in=payee_ids))


def requirements_in_force(payees: Iterable[Payee], *, at: datetime) -> dict[int, Requirement | None]:
    """By payee: the version that its program, market and kind are under at the instant; None where there is none."""
    versions = GateRequirement.objects.filter(effective_at__lte=at).order_by(
        "program", "market", "payee_kind", "-effective_at"
    )
    in_force = {
        (version.program, version.market, version.payee_kind): Requirement(
            requirement_id=version.pk, effective_at=version.effective_at, gates=tuple(version.gates)
        )
        for version in versions.distinct("program", "market", "payee_kind")
    }
    return {payee.pk: in_force.get((payee.program, payee.market, payee.kind)) for payee in payees}


def gates_asked_from_now_on(payee: Payee, *, at: datetime) -> set[str]:
    """Every gate that the version in force or a later one names."""
    requirement = requirements_in_force([payee], at=at)[payee.pk]
    later = GateRequirement.objects.filter(
        program=payee.program, market=payee.market, payee_kind=payee.kind, effective_at__gt=at
    ).values_list("gates", flat=True)
    return {gate for gates in [requirement.gates if requirement else (), *later] for gate in gates}


def judge_payees(payees: Sequence[Payee], *, checks: Sequence[GateCheck], at: datetime) -> dict[int, Judgement]:
    """By payee: released or blocked at the instant, as these checks stand."""
    requirements = requirements_in_force(payees, at=at)
    facts = _facts_by_payee(checks)
    return {
        payee.pk: judgement.judge_payee(requirement=requirements[payee.pk], checks=facts.get(payee.pk, {}), at=at)
        for payee in payees
    }


def _facts_by_payee(checks: Sequence[GateCheck]) -> dict[int, dict[str, CheckFacts]]:
    latest = {
        check_id: (reference, decided_at)
        for check_id, reference, decided_at in GateDecision.objects.filter(gate_check__in=checks)
        .order_by("gate_check_id", "-pk")
        .distinct("gate_check_id")
        .values_list("gate_check_id", "audit_entry__reference", "decided_at")
    }
    facts: dict[int, dict[str, CheckFacts]] = {}
    for check in checks:
        reference, decided_at = latest.get(check.pk, (None, None))
        facts.setdefault(check.payee_id, {})[check.kind] = CheckFacts(
            check_id=check.pk,
            stored=check.state,
            expires_at=check.expires_at,
            decided_at=decided_at,
            audit_reference=reference,
        )
    return facts


def current_decisions(batch: PayoutBatch) -> list[ReleaseDecision]:
    """The latest decision about each payable of the batch, in the batch's order."""
    latest = ReleaseDecision.objects.filter(payable=OuterRef("payable")).order_by("-pk").values("pk")[:1]
    decisions = ReleaseDecision.objects.filter(batch=batch, pk=Subquery(latest))
    return list(
        decisions.select_related("payable__payee", "audit_entry", "actor", "payout").order_by("payable__batch_item__pk")
    )


def batch_lines(batch: PayoutBatch, *, at: datetime) -> list[BatchLine]:
    """Every payable: what a release would do with it now, or what one has done. Nothing is locked or decided."""
    payables = list(
        Payable.objects.filter(batch_item__batch=batch)
        .select_related("payee", "payout", "withdrawn_by")
        .order_by("batch_item__pk")
    )
    decisions = {decision.payable_id: decision for decision in current_decisions(batch)}
    payees = {payable.payee_id: payable.payee for payable in payables if status_of(payable) == "open"}
    judgements = judge_payees(list(payees.values()), checks=checks_of(payees.keys()), at=at)
    return [
        BatchLine(
            payable=payable,
            judgement=judgements[payable.payee_id] if status_of(payable) == "open" else None,
            decision=decisions.get(payable.pk),
            payout=getattr(payable, "payout", None),
        )
        for payable in payables
    ]


def status_of(payable: Payable) -> str:
    """`open`, `paid` or `withdrawn`."""
    if payable.withdrawn_at is not None:
        return "withdrawn"
    return "paid" if hasattr(payable, "payout") else "open"


def waiting_money(payee_ids: Collection[int]) -> dict[int, WaitingMoney]:
    """By payee: open payables, counted and summed by currency."""
    sums: QuerySet[Payable, tuple[int, str, int, Decimal]] = (
        Payable.objects.filter(PAYABLE_STATUSES["open"], payee__in=payee_ids)
        .order_by("payee_id", "currency")
        .values_list("payee_id", "currency")
        .annotate(count=Count("pk"), total=Sum("amount"))
    )
    found: dict[int, WaitingMoney] = {}
    for payee_id, currency, count, total in sums:
        known = found.get(payee_id, WaitingMoney(count=0, amounts=()))
        found[payee_id] = WaitingMoney(count=known.count + count, amounts=(*known.amounts, (currency, total)))
    return found


def in_state(state: str, *, at: datetime) -> Q:
    """The condition on stored checks under which they are in this state at the instant."""
    ends_soon = at + EXPIRING_WITHIN
    conditions = {
        GateState.EXPIRED: Q(state=GateState.APPROVED, expires_at__lte=at),
        GateState.EXPIRING: Q(state=GateState.APPROVED, expires_at__gt=at, expires_at__lte=ends_soon),
        GateState.APPROVED: Q(state=GateState.APPROVED) & (Q(expires_at=None) | Q(expires_at__gt=ends_soon)),
    }
    return conditions.get(GateState(state), Q(state=state))
