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
        name="a finished launch check looked at every box",
        find_offenders=rows_of(
            """
            SELECT run.id AS launch_check, count(DISTINCT result.box) AS boxes
            FROM launch_launchcheck run LEFT JOIN launch_boxresult result ON result.run_id = run.id
            WHERE run.finished_at IS NOT NULL
            GROUP BY run.id HAVING count(DISTINCT result.box) < 9 ORDER BY run.id
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
