"""What must hold of the launch checklist."""

from collections.abc import Iterator

from compliance.launch.models import BoxResult
from core import canonical
from core.invariants import Invariant, rows_of


def _find_other_proofs() -> Iterator[str]:
    for result in BoxResult.objects.order_by("pk").iterator(chunk_size=200):
        if canonical.content_hash(result.proof) != result.proof_hash:
            yield f"result {result.pk} of check {result.run_id}, {result.box}"


INVARIANTS = [
    Invariant(
        number=50,
        name="the proof of every box is what was written down with it",
        find_offenders=lambda: list(_find_other_proofs()),
    ),
    Invariant(
        number=50,
        name="a finished launch check looked at every box, or at the one that it was for",
        find_offenders=rows_of(
            """
            SELECT run.id AS launch_check, count(DISTINCT result.box) AS boxes
            FROM launch_launchcheck run LEFT JOIN launch_boxresult result ON result.run_id = run.id
            WHERE run.finished_at IS NOT NULL AND (run.only = '' OR result.box IS NULL OR result.box <> run.only)
            GROUP BY run.id HAVING run.only <> '' OR count(DISTINCT result.box) < 9 ORDER BY run.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="the lines of the last close are called traced only after a walk in which no step differed",
        find_offenders=rows_of(
            """
            SELECT result.id AS result, result.run_id AS launch_check
            FROM launch_boxresult result LEFT JOIN launch_closewalk walk ON walk.run_id = result.run_id
            WHERE result.box = 'last_close_traced' AND result.is_closed
              AND (walk.finished_at IS NULL OR walk.differing <> '[]' OR walk.lines_done = 0)
            ORDER BY result.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="nobody approved a checklist of their own",
        find_offenders=rows_of(
            """
            SELECT version.version, approval.person_id AS person FROM launch_checklistapproval approval
            JOIN launch_checklistversion version ON version.id = approval.checklist_id
            WHERE approval.person_id = version.proposed_by_id ORDER BY version.version
            """
        ),
    ),
    Invariant(
        number=50,
        name="a sample is accepted by three people over its own proof, each in the audit chain",
        find_offenders=rows_of(
            """
            SELECT acceptance.id AS acceptance, acceptance.sample_id AS sample, entry.reference
            FROM launch_sampleacceptance acceptance
            JOIN launch_samplewalk sample ON sample.id = acceptance.sample_id
            JOIN core_auditentry entry ON entry.id = acceptance.audit_entry_id
            WHERE acceptance.proof_hash <> sample.proof_hash
               OR entry.action <> 'launch.sample_accepted' OR entry.actor_id <> acceptance.person_id
               OR entry.facts ->> 'proof_hash' <> acceptance.proof_hash
               OR EXISTS (SELECT FROM launch_sampleacceptance other
                          WHERE other.sample_id = acceptance.sample_id AND other.id <> acceptance.id
                            AND other.person_id = acceptance.person_id)
            ORDER BY acceptance.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="a program went live with every box closed, or excepted by two people until later",
        find_offenders=rows_of(
            """
            SELECT decision.id AS decision, decision.program, judged ->> 'box' AS box
            FROM launch_golivedecision decision CROSS JOIN jsonb_array_elements(decision.boxes) judged
            LEFT JOIN launch_launchexception asked
              ON asked.id = (judged ->> 'exception')::bigint AND asked.program = decision.program
             AND asked.boxes ? (judged ->> 'box') AND asked.ends_at > decision.decided_at
            WHERE decision.outcome = 'live' AND judged ->> 'state' <> 'closed'
              AND (SELECT count(DISTINCT signature.person_id) FROM launch_exceptionsignature signature
                   WHERE signature.exception_id = asked.id AND signature.at <= decision.decided_at
                     AND signature.person_id <> asked.proposed_by_id) < 2
            UNION ALL
            SELECT decision.id, decision.program, 'all of them' FROM launch_golivedecision decision
            WHERE decision.outcome = 'live' AND jsonb_array_length(decision.boxes) < 9
            ORDER BY 1
            """
        ),
    ),
    Invariant(
        number=50,
        name="the audit chain tells every decision about programs and every signature under an exception",
        find_offenders=rows_of(
            """
            SELECT 'decision ' || decision.id AS of, entry.reference
            FROM launch_golivedecision decision JOIN core_auditentry entry ON entry.id = decision.audit_entry_id
            WHERE entry.action <> 'launch.' || decision.outcome OR entry.subject <> 'program:' || decision.program
               OR entry.actor_id <> decision.decided_by_id OR entry.facts -> 'boxes' <> decision.boxes
            UNION ALL
            SELECT 'signature ' || signature.id, entry.reference
            FROM launch_exceptionsignature signature
            JOIN launch_launchexception asked ON asked.id = signature.exception_id
            JOIN core_auditentry entry ON entry.id = signature.audit_entry_id
            WHERE entry.action <> 'launch.exception_signed' OR entry.actor_id <> signature.person_id
               OR entry.facts ->> 'content_hash' <> asked.content_hash
               OR signature.content_hash <> asked.content_hash OR signature.at >= asked.ends_at
            """
        ),
    ),
    Invariant(
        number=50,
        name="no invoice was issued before its program was live where the policy of that moment asks for it",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, invoice.number, customer.program
            FROM cycle_invoice invoice JOIN accounts_customer customer ON customer.id = invoice.customer_id
            JOIN LATERAL (
                SELECT policy.terms FROM policy_triggerpolicy policy
                LEFT JOIN policy_policybeginning beginning ON beginning.policy_id = policy.id
                WHERE policy.program = customer.program AND policy.status = 'signed'
                  AND policy.effective_at <= invoice.finalized_at AND policy.decided_at <= invoice.finalized_at
                  AND (policy.effective_at <= policy.decided_at
                       OR (beginning.holds AND beginning.at <= invoice.finalized_at))
                ORDER BY policy.effective_at DESC, policy.version DESC LIMIT 1
            ) AS deciding ON (deciding.terms #>> '{launch,required}')::boolean
            WHERE invoice.status = 'final' AND invoice.document_type = 'invoice'
              AND (SELECT decision.outcome FROM launch_golivedecision decision
                   WHERE decision.program = customer.program AND decision.decided_at <= invoice.finalized_at
                   ORDER BY decision.id DESC LIMIT 1) IS DISTINCT FROM 'live'
            ORDER BY invoice.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="invariants that were clean for a check were searched one by one, each to its end",
        find_offenders=rows_of(
            """
            SELECT result.run_id AS launch_check, search.name FROM launch_boxresult result
            JOIN launch_invariantsearch search ON search.run_id = result.run_id
            WHERE result.box = 'invariants_clean' AND result.is_closed
              AND (search.outcome <> 'clean'
                   OR ((result.proof #>> '{table,left_out}')::int = 0
                       AND position(search.proof_hash IN result.proof::text) = 0))
            ORDER BY search.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="a restore drill stands in the audit chain as it was",
        find_offenders=rows_of(
            """
            SELECT drill.id AS restore_drill, entry.reference FROM launch_restoredrill drill
            JOIN core_auditentry entry ON entry.id = drill.audit_entry_id
            WHERE entry.action <> 'launch.restore_drill' OR entry.facts ->> 'sha256' <> drill.sha256
               OR entry.facts -> 'flaws' <> drill.flaws
            ORDER BY drill.id
            """
        ),
    ),
]
