"""Rebuild the evidence of a dispute in the background, and put the dispute on its path by the stated rule."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes import move, talk
from compliance.disputes.models import Dispute, DisputeEvidence
from compliance.disputes.rules import lifecycle, path
from compliance.disputes.rules.path import Decision, Step
from compliance.evidence import trace
from compliance.evidence.models import EvidencePack
from compliance.evidence.pack import make
from compliance.evidence.rules.proof import Check
from core import work

JOB = "rebuild_dispute_evidence"
ASKERS = (Role.OPS, Role.ENGINEERING, Role.FINANCE)
REPRODUCED = (
    "We have worked your bill out again from every event that it rests on. It comes to what was billed. A person now "
    "looks at what you wrote and answers you with all the evidence."
)
BROKEN = (
    "We have worked your bill out again and do not arrive at what was billed. Our engineers are finding out why; until "
    "they have, we keep you informed here."
)


def ask_again(*, dispute_id: int, reason: str, actor: Any, at: datetime) -> DisputeEvidence:
    """Rebuild it once more, because something was repaired or said since."""
    roles.require_role(actor, *ASKERS, to="have the evidence of a dispute rebuilt")
    said = talk.clean(reason, pointer="/reason")
    with transaction.atomic():
        dispute = move.lock_dispute(dispute_id=dispute_id)
        move.require_move(dispute, to_status=lifecycle.EVIDENCE)
        asked = ask(dispute, actor=actor, at=at)
        move.move_dispute(dispute, to_status=lifecycle.EVIDENCE, actor=actor, reason=said, at=at)
    return asked


def ask(dispute: Dispute, *, actor: Any, at: datetime) -> DisputeEvidence:
    """Queue the job for a dispute whose step is its evidence, or becomes it in this transaction."""
    number = dispute.evidence.count() + 1
    asked = DisputeEvidence.objects.create(dispute=dispute, number=number, asked_by=actor, asked_at=at)
    work.enqueue(kind=JOB, key=str(asked.pk), arguments={"evidence_id": asked.pk}, at=at)
    return asked


def run(*, evidence_id: int, at: datetime) -> None:
    """Walk, make the pack, decide; run again, it leaves what was decided. A dispute withdrawn meanwhile stays so."""
    asked = DisputeEvidence.objects.select_related("dispute__invoice", "dispute__line").get(pk=evidence_id)
    if asked.finished_at is not None or asked.dispute.status != lifecycle.EVIDENCE:
        return
    steps = walk(asked.dispute)
    decision = path.decide_path(steps)
    pack = make.make_pack(invoice=asked.dispute.invoice, line=asked.dispute.line, actor=asked.asked_by, at=at)
    _decide(asked, steps=steps, decision=decision, pack=pack, at=at)


def walk(dispute: Dispute) -> list[Step]:
    """Every step from the events to the named line, or to every line and the totals of the invoice."""
    if dispute.line is not None:
        return list(_steps(dispute.line.position, trace.trace_line(line_id=dispute.line.pk).checks))
    walked = trace.trace_invoice(invoice_id=dispute.invoice_id)
    lines = [step for one in walked.traces for step in _steps(one.line.position, one.checks)]
    return [*lines, *_steps(None, walked.checks)]


def _steps(line: int | None, checks: Iterable[Check]) -> Iterator[Step]:
    for check in checks:
        yield Step(line=line, name=check.step, claimed=check.claimed, found=check.found)


@transaction.atomic
def _decide(asked: DisputeEvidence, *, steps: list[Step], decision: Decision, pack: EvidencePack, at: datetime) -> None:
    dispute = move.lock_dispute(dispute_id=asked.dispute_id)
    if dispute.status != lifecycle.EVIDENCE or DisputeEvidence.objects.get(pk=asked.pk).finished_at is not None:
        return
    first = decision.first_break
    asked.finished_at, asked.pack = at, pack
    asked.path, asked.rule, asked.rule_text = decision.path, decision.rule, path.STATED
    asked.steps = [_as_json(step) for step in steps]
    asked.first_break = None if first is None else _as_json(first)
    asked.save()
    dispute.path = decision.path
    to_status = lifecycle.OPS if first is None else lifecycle.ENGINEERING
    facts = {"rule": decision.rule, "break": asked.first_break, "pack_sha256": pack.sha256, "evidence": asked.number}
    reason = "the chain reproduces the billed amount" if first is None else f"it differs first at: {first.name}"
    move.move_dispute(dispute, to_status=to_status, actor=None, reason=reason, facts=facts, at=at)
    talk.tell_customer(dispute, text=REPRODUCED if first is None else BROKEN, actor=None, at=at)


def _as_json(step: Step) -> dict[str, Any]:
    return {"line": step.line, "step": step.name, "claimed": step.claimed, "found": step.found}
