"""What must hold of gates and payouts; the numbers are those of the project's list of invariants.

Order is that of the audit chain, which is one for everybody, and not that of clocks.
"""

import hashlib
from collections.abc import Iterator

from compliance.payouts.models import EvidenceFile
from core.invariants import Invariant, rows_of

_GATE_APPROVED_BY_THE_PAYEES_AUTHOR = """
    SELECT decision.id AS gate_decision, payee.code AS payee, decision.actor_id AS person
      FROM payouts_gatedecision AS decision
      JOIN payouts_gatecheck AS gate ON gate.id = decision.gate_check_id
      JOIN payouts_payee AS payee ON payee.id = gate.payee_id
     WHERE decision.verdict = 'approve' AND decision.actor_id = payee.created_by_id
     ORDER BY decision.id
"""
_RELEASED_BY_THE_BATCHS_AUTHOR = """
    SELECT decision.id AS release_decision, batch.reference AS batch, decision.actor_id AS person
      FROM payouts_releasedecision AS decision JOIN payouts_payoutbatch AS batch ON batch.id = decision.batch_id
     WHERE decision.actor_id = batch.created_by_id
     ORDER BY decision.id
"""
_GATE_WITHOUT_ITS_DECISION = """
    SELECT gate.id AS gate_check, gate.state AS stands, COALESCE(latest.to_state, 'not_started') AS decided
      FROM payouts_gatecheck AS gate
      LEFT JOIN LATERAL (
          SELECT to_state, expires_at FROM payouts_gatedecision
           WHERE gate_check_id = gate.id ORDER BY id DESC LIMIT 1
      ) AS latest ON TRUE
     WHERE (gate.state, gate.expires_at)
           IS DISTINCT FROM (COALESCE(latest.to_state, 'not_started'), latest.expires_at)
     ORDER BY gate.id
"""
# Per released payable: the requirement in force at that instant, and for each of its gates the decision before it.
_RELEASED_BEHIND_A_SHUT_GATE = """
    SELECT release.id AS release_decision, payable.reference AS payable, wanted.kind AS gate,
           COALESCE(latest.to_state, 'not_started') AS state, latest.expires_at
      FROM payouts_releasedecision AS release
      JOIN payouts_payable AS payable ON payable.id = release.payable_id
      JOIN payouts_payee AS payee ON payee.id = payable.payee_id
      LEFT JOIN LATERAL (
          SELECT gates FROM payouts_gaterequirement AS requirement
           WHERE (requirement.program, requirement.market, requirement.payee_kind)
                 = (payee.program, payee.market, payee.kind)
             AND requirement.effective_at <= release.decided_at
           ORDER BY requirement.effective_at DESC LIMIT 1
      ) AS required ON TRUE
      CROSS JOIN LATERAL unnest(COALESCE(required.gates, ARRAY['any']::varchar[])) AS wanted (kind)
      LEFT JOIN LATERAL (
          SELECT decision.to_state, decision.expires_at
            FROM payouts_gatedecision AS decision JOIN payouts_gatecheck AS gate ON gate.id = decision.gate_check_id
           WHERE gate.payee_id = payee.id AND gate.kind = wanted.kind
             AND decision.audit_entry_id < release.audit_entry_id
           ORDER BY decision.audit_entry_id DESC LIMIT 1
      ) AS latest ON TRUE
     WHERE release.outcome = 'released'
       AND (latest.to_state IS DISTINCT FROM 'approved' OR latest.expires_at <= release.decided_at)
     ORDER BY release.id
"""
_PAID_TWICE_OR_NOT_AS_OWED = """
    SELECT payable.id AS payable, payable.amount, payable.currency, count(*) AS payouts, sum(payout.amount) AS paid
      FROM payouts_payout AS payout JOIN payouts_payable AS payable ON payable.id = payout.payable_id
     GROUP BY payable.id
    HAVING count(*) > 1 OR sum(payout.amount) <> payable.amount OR min(payout.currency) <> payable.currency
           OR payable.withdrawn_at IS NOT NULL
     ORDER BY payable.id
"""
_PAYOUT_AND_RELEASE_APART = """
    SELECT release.id AS release_decision, release.outcome, payout.id AS payout
      FROM payouts_releasedecision AS release LEFT JOIN payouts_payout AS payout ON payout.decision_id = release.id
     WHERE (release.outcome = 'released') <> (payout.id IS NOT NULL)
        OR payout.payable_id <> release.payable_id
     ORDER BY release.id
"""
_DECISION_WITHOUT_ITS_AUDIT_ENTRY = """
    SELECT decision.id AS release_decision, entry.reference, entry.action, entry.subject
      FROM payouts_releasedecision AS decision JOIN core_auditentry AS entry ON entry.id = decision.audit_entry_id
     WHERE (entry.action, entry.subject, entry.actor_id)
           IS DISTINCT FROM ('payable.' || decision.outcome, 'payable:' || decision.payable_id, decision.actor_id)
        OR entry.facts -> 'gates' <> decision.gates
    UNION ALL
    SELECT decision.id, entry.reference, entry.action, entry.subject
      FROM payouts_gatedecision AS decision JOIN core_auditentry AS entry ON entry.id = decision.audit_entry_id
     WHERE (entry.action, entry.subject, entry.actor_id) IS DISTINCT FROM
           ('gate_check.' || decision.verdict, 'gate_check:' || decision.gate_check_id, decision.actor_id)
"""


def _find_altered_documents() -> Iterator[str]:
    for file in EvidenceFile.objects.order_by("pk").iterator(chunk_size=20):
        if file.content and hashlib.sha256(bytes(file.content)).hexdigest() != file.sha256:
            yield f"document {file.pk} {file.name} of gate check {file.gate_check_id}"


INVARIANTS = [
    Invariant(
        number=38,
        name="whoever entered a payee approved none of its gates",
        find_offenders=rows_of(_GATE_APPROVED_BY_THE_PAYEES_AUTHOR),
    ),
    Invariant(
        number=38,
        name="whoever made a batch did not release it",
        find_offenders=rows_of(_RELEASED_BY_THE_BATCHS_AUTHOR),
    ),
    Invariant(
        number=40,
        name="every gate stands where its latest decision led",
        find_offenders=rows_of(_GATE_WITHOUT_ITS_DECISION),
    ),
    Invariant(
        number=40,
        name="every required gate was open when a payable was released",
        find_offenders=rows_of(_RELEASED_BEHIND_A_SHUT_GATE),
    ),
    Invariant(
        number=40,
        name="documents of gates are as they were stored",
        find_offenders=lambda: list(_find_altered_documents()),
    ),
    Invariant(
        number=41,
        name="a payable is paid at most once, exactly as owed",
        find_offenders=rows_of(_PAID_TWICE_OR_NOT_AS_OWED),
    ),
    Invariant(
        number=41,
        name="a payout belongs to exactly one released decision",
        find_offenders=rows_of(_PAYOUT_AND_RELEASE_APART),
    ),
    Invariant(
        number=42,
        name="one audit reference tells each decision about gates and payables",
        find_offenders=rows_of(_DECISION_WITHOUT_ITS_AUDIT_ENTRY),
    ),
]
