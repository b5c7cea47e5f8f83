"""Gates re-checked at release: what the rows of every released payout say of that instant."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof, counted
from compliance.payouts.invariants import INVARIANTS
from compliance.payouts.models import Payout

GATES_AT_RELEASE = 40  # the number under which payouts list what holds of gates and releases
LATEST = 20

# A release names the verdict of every gate that was required of the payee, each passed, decided in that very instant.
_WITHOUT_CHECKS = """
    SELECT release.id, payable.reference
      FROM payouts_payout AS payout
      JOIN payouts_releasedecision AS release ON release.id = payout.decision_id
      JOIN payouts_payable AS payable ON payable.id = payout.payable_id
     WHERE payout.instructed_at <> release.decided_at
        OR jsonb_array_length(release.inputs -> 'required') = 0
        OR EXISTS (
            SELECT FROM jsonb_array_elements_text(release.inputs -> 'required') AS required (gate)
             WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements(release.gates) AS checked
                 WHERE checked ->> 'gate' = required.gate AND (checked ->> 'passed')::boolean
             )
        )
     ORDER BY release.id
"""
_LATEST = """
    SELECT payable.reference, payee.code, release.decided_at,
           (SELECT string_agg(gate, ', ') FROM jsonb_array_elements_text(release.inputs -> 'required') AS gate),
           entry.reference
      FROM payouts_payout AS payout
      JOIN payouts_releasedecision AS release ON release.id = payout.decision_id
      JOIN payouts_payable AS payable ON payable.id = payout.payable_id
      JOIN payouts_payee AS payee ON payee.id = payable.payee_id
      JOIN core_auditentry AS entry ON entry.id = release.audit_entry_id
     ORDER BY release.id DESC LIMIT %s
"""


def look(*, at: datetime) -> Iterator[Found]:
    """One answer over every payout there ever was; where there is none, nothing left without its gates."""
    payouts = Payout.objects.count()
    bare = [
        f"release {pk} of {reference} shows no check of a required gate" for pk, reference in _rows(_WITHOUT_CHECKS)
    ]
    closed = [
        f"{one.name}: {offender}"
        for one in INVARIANTS
        if one.number == GATES_AT_RELEASE
        for offender in one.find_offenders()
    ]
    flaws = [*bare, *closed]
    said = f"{counted(payouts, 'payout')} released, each with every required gate open at that instant."
    if not payouts:
        said = "No payout was released yet, so none left without its gates."
    if flaws:
        said = f"{counted(len(flaws), 'finding')} against releases; the first: {flaws[0]}."
    yield Found(
        box=Box.GATES_RECHECKED,
        is_closed=not flaws,
        said=said,
        remedy="Stop releasing, look at the releases named in the proof, and find out how they came about."
        if flaws
        else "",
        proof=Proof(
            facts=[("Payouts", str(payouts)), ("Findings", str(len(flaws)))],
            head=("Finding",) if flaws else ("Payable", "Payee", "Released", "Gates checked then", "Audit reference"),
            rows=[(flaw,) for flaw in flaws] if flaws else [_row(*row) for row in _rows(_LATEST, LATEST)],
            links=[Link(text="Payout batches", path=reverse("admin:payouts_payoutbatch_changelist"))],
        ),
        proved_at=at,
    )


def _rows(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())


def _row(reference: str, payee: str, decided_at: datetime, gates: str, entry: str) -> tuple[str, ...]:
    return (reference, payee, f"{decided_at:%Y-%m-%d %H:%M:%S} UTC", gates, entry)
