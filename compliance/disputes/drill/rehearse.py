"""Two mock disputes run to their ends, one of each path, every step timed; only in a database made for a drill."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pgtrigger
from django.db import connection

from compliance.disputes import decide, fixing, letter, opening, rebuild, talk
from compliance.disputes.drill import world
from compliance.disputes.drill.world import Mock
from compliance.disputes.models import Dispute, DisputeLetter
from compliance.disputes.opening import Claim
from invoicing.cycle.models import Invoice

METERED_LINE = 2
Clock = Callable[[], datetime]
BREAK = "UPDATE metering_usageevent SET data = '{\"units\": 900}' WHERE event_id = %s"
STORIES = {
    "ops": "The bill is right. The customer contests the quantity, and is answered with the pack.",
    "engineering": (
        "A stored event was changed behind the product's back after the invoice was issued: 1,000 units became 900. "
        "The bill no longer follows from its events, is not defended, and is corrected by a credit note."
    ),
}


@dataclass(slots=True)
class Path:
    """One mock dispute, and what each step of it took."""

    name: str
    dispute: Dispute
    clock: Clock
    steps: list[dict[str, Any]] = field(default_factory=list)

    def step(self, name: str, by: str, call: Callable[[], object]) -> None:
        """Do it, and note the seconds and where the dispute went."""
        seconds = _timed(call)
        self.dispute.refresh_from_db()
        went_to = self.dispute.get_outcome_display() if self.dispute.closed_at else self.dispute.get_status_display()
        self.note(name, by, went_to, seconds)

    def note(self, name: str, by: str, went_to: str, seconds: float) -> None:
        """`by`: who does it, or the worker."""
        self.steps.append({"name": name, "by": by, "went_to": went_to, "seconds": round(seconds, 3)})


def rehearse(*, policy: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """The report: `is_passed`, the seconds altogether, and per path its steps and where it went."""
    world.require_drill()
    begun = time.perf_counter()
    mock = world.furnish(policy=policy, at=clock())
    invoices = {name: world.bill(mock, name, at=clock()) for name in STORIES}
    set_up = time.perf_counter() - begun
    paths = [_ops_path(mock, invoices["ops"], clock), _engineering_path(mock, invoices["engineering"], clock)]
    return {
        "is_passed": all(path["is_right"] for path in paths),
        "seconds": round(time.perf_counter() - begun, 3),
        "set_up_seconds": round(set_up, 3),
        "paths": paths,
    }


def _ops_path(mock: Mock, invoice: Invoice, clock: Clock) -> dict[str, Any]:
    path = _opened(mock, invoice, name="ops", clock=clock)
    ops, key = mock.people.ops, path.dispute.pk
    path.step(
        "Update the customer",
        "ops",
        lambda: talk.write_update(dispute_id=key, text="We are looking at it.", actor=ops, at=clock()),
    )
    path.step("Decide", "ops", lambda: decide.reject(dispute_id=key, answer="The bill stands.", actor=ops, at=clock()))
    path.step("Write the letter", "worker", lambda: letter.write_letter(dispute_id=key, at=clock()))
    return _report(path, outcome="rejected")


def _engineering_path(mock: Mock, invoice: Invoice, clock: Clock) -> dict[str, Any]:
    _break_the_chain()
    path = _opened(mock, invoice, name="engineering", clock=clock)
    people, key = mock.people, path.dispute.pk
    path.step(
        "Keep the customer informed",
        "ops",
        lambda: talk.write_update(dispute_id=key, text="Engineering is at it.", actor=people.ops, at=clock()),
    )
    path.step(
        "Engineering says what broke",
        "engineering",
        lambda: talk.write_remark(dispute_id=key, text="An event was changed.", actor=people.engineer, at=clock()),
    )
    path.step(
        "Decide", "ops", lambda: decide.uphold(dispute_id=key, answer="You are right.", actor=people.ops, at=clock())
    )
    path.step("Write the letter", "worker", lambda: letter.write_letter(dispute_id=key, at=clock()))
    path.step("Correct by a credit note, and close", "finance", lambda: _correct(mock, path.dispute, clock))
    return _report(path, outcome="upheld")


def _opened(mock: Mock, invoice: Invoice, *, name: str, clock: Clock) -> Path:
    """Opened, and its evidence rebuilt as the worker does."""
    claim = Claim(invoice_id=invoice.pk, position=METERED_LINE, reason="quantity", text="We did not use that much.")
    begun = time.perf_counter()
    dispute = opening.open_for_staff(claim=claim, origin="api", actor=mock.people.ops, at=clock())
    path = Path(name=name, dispute=dispute, clock=clock)
    path.note("Open", "ops", dispute.get_status_display(), time.perf_counter() - begun)
    evidence = dispute.evidence.get()
    path.step(
        "Rebuild the evidence, make the pack, choose the path",
        "worker",
        lambda: rebuild.run(evidence_id=evidence.pk, at=clock()),
    )
    return path


def _break_the_chain() -> None:
    """What a person with the database's password could do; the triggers that forbid it are off for this statement."""
    world.require_drill()
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute(BREAK, ["engineering-3"])


def _correct(mock: Mock, dispute: Dispute, clock: Clock) -> None:
    """100 units too many at 0.002 are given back."""
    assert dispute.line_id is not None  # noqa: S101  a line is contested
    note = world.credit(mock, dispute.invoice, line_id=dispute.line_id, amount=Decimal("0.20"), at=clock())
    fixing.link_fix(
        dispute_id=dispute.pk, document_id=note.pk, delta_report_id=None, actor=mock.people.finance, at=clock()
    )


def _report(path: Path, *, outcome: str) -> dict[str, Any]:
    dispute = path.dispute
    written = DisputeLetter.objects.select_related("pdf").get(dispute=dispute)
    evidence = dispute.evidence.get()
    is_right = (dispute.path, dispute.status, dispute.outcome) == (path.name, "closed", outcome)
    return {
        "name": dispute.get_path_display() if is_right else f"{path.name} path",
        "story": STORIES[path.name],
        "went_to": f"{dispute.path}, {dispute.outcome}",
        "is_right": is_right and (evidence.first_break is None) == (path.name == "ops"),
        "rule": evidence.rule,
        "first_break": evidence.first_break,
        "steps": path.steps,
        "seconds": round(sum(step["seconds"] for step in path.steps), 3),
        "letter_sha256": written.pdf.sha256,
        "pack_sha256": written.pack_sha256,
    }


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
