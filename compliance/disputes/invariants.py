"""What must hold of disputes."""

from compliance.disputes.models import Dispute, DisputeLetter
from compliance.disputes.rules import lifecycle
from core.invariants import Invariant, rows_of

NUMBER = 52


_LETTER_OF_ANOTHER_PACK = """
    SELECT letter.id AS letter, letter.dispute_id FROM disputes_disputeletter letter
    JOIN disputes_dispute dispute ON dispute.id = letter.dispute_id
    JOIN disputes_disputeevidence evidence ON evidence.id = letter.evidence_id
    LEFT JOIN evidence_evidencepack pack ON pack.id = evidence.pack_id
    JOIN documents_storeddocument pdf ON pdf.id = letter.pdf_id
    WHERE letter.pack_sha256 IS DISTINCT FROM pack.sha256 OR evidence.dispute_id <> letter.dispute_id
       OR (position(letter.pack_sha256 IN letter.text) = 0 AND NOT starts_with(letter.text, 'sealed:1:'))
       OR pdf.kind <> 'dispute_letter'
       OR pdf.key <> 'dispute_letter:' || letter.dispute_id
       OR dispute.outcome NOT IN ('upheld', 'rejected')
    ORDER BY letter.id
    """


def _find_strange_letters() -> list[str]:
    """Letters that are of another pack by what stands beside them, or by their own text while it can be opened."""
    sealed = DisputeLetter.objects.filter(text__startswith="sealed:1:").select_related("dispute__invoice__personal_key")
    alive = sealed.filter(dispute__invoice__personal_key__destroyed_at=None).order_by("pk")
    silent = [f"letter {one.pk}, the text" for one in alive if one.pack_sha256 not in one.text]
    return [*rows_of(_LETTER_OF_ANOTHER_PACK)(), *silent]


def _find_illegal_logs() -> list[str]:
    """Disputes whose moves do not lead, one after the other, to where they stand."""
    offenders = []
    for dispute in Dispute.objects.prefetch_related("transitions").order_by("pk"):
        moves = sorted(dispute.transitions.all(), key=lambda one: one.revision)
        log = [(one.from_status, one.to_status, one.outcome) for one in moves]
        numbers = [one.revision for one in moves] == list(range(1, dispute.revision + 1))
        if not numbers or not lifecycle.is_legal_log(log, status=dispute.status):
            offenders.append(f"dispute {dispute.pk}, {dispute.status}")
    return offenders


INVARIANTS = [
    Invariant(
        number=NUMBER,
        name="the log of every dispute is legal and ends in its state",
        find_offenders=_find_illegal_logs,
    ),
    Invariant(
        number=NUMBER,
        name="every move of a dispute is in the audit chain as it was",
        find_offenders=rows_of(
            """
            SELECT move.id AS move, move.dispute_id FROM disputes_disputetransition move
            JOIN core_auditentry entry ON entry.id = move.audit_entry_id
            WHERE entry.subject <> 'dispute:' || move.dispute_id
               OR (entry.facts ->> 'from', entry.facts ->> 'to', entry.facts ->> 'outcome')
                  IS DISTINCT FROM (move.from_status, move.to_status, move.outcome)
               OR entry.actor_id IS DISTINCT FROM move.actor_id
            ORDER BY move.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="a contested invoice is what it was when it was contested",
        find_offenders=rows_of(
            """
            SELECT dispute.id AS dispute, invoice.number FROM disputes_dispute dispute
            JOIN cycle_invoice invoice ON invoice.id = dispute.invoice_id
            WHERE invoice.content_hash <> dispute.invoice_hash OR invoice.status <> 'final'
               OR invoice.customer_id <> dispute.customer_id
            ORDER BY dispute.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="a dispute is on the path that its latest evidence decided, and the evidence says why",
        find_offenders=rows_of(
            """
            SELECT dispute.id AS dispute, dispute.path, latest.path AS decided FROM disputes_dispute dispute
            LEFT JOIN LATERAL (
                SELECT evidence.path, evidence.steps, evidence.first_break FROM disputes_disputeevidence evidence
                WHERE evidence.dispute_id = dispute.id AND evidence.finished_at IS NOT NULL
                ORDER BY evidence.number DESC LIMIT 1
            ) latest ON true
            WHERE dispute.path <> coalesce(latest.path, '')
               OR (latest.path = 'ops' AND (jsonb_array_length(latest.steps) = 0 OR EXISTS (
                    SELECT 1 FROM jsonb_array_elements(latest.steps) step
                    WHERE step ->> 'claimed' <> step ->> 'found')))
               OR (latest.path = 'engineering' AND (
                    latest.first_break ->> 'claimed' = latest.first_break ->> 'found'
                    OR NOT latest.steps @> jsonb_build_array(latest.first_break)))
            ORDER BY dispute.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="nobody rejected what was not reproduced",
        find_offenders=rows_of(
            """
            SELECT dispute.id AS dispute FROM disputes_dispute dispute
            WHERE dispute.outcome = 'rejected' AND dispute.path <> 'ops' ORDER BY dispute.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="an upheld dispute that is closed names an issued document that corrects what it contested",
        find_offenders=rows_of(
            """
            SELECT dispute.id AS dispute FROM disputes_dispute dispute
            WHERE dispute.status = 'closed' AND dispute.outcome = 'upheld' AND NOT EXISTS (
                SELECT 1 FROM disputes_disputefix fix
                LEFT JOIN cycle_deltareport report ON report.id = fix.delta_report_id
                JOIN cycle_invoice document ON document.id = coalesce(fix.document_id, report.invoice_id)
                WHERE fix.dispute_id = dispute.id AND document.status = 'final'
                  AND document.customer_id = dispute.customer_id)
            ORDER BY dispute.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="a letter names the pack of its evidence, as it is kept",
        find_offenders=_find_strange_letters,
    ),
    Invariant(
        number=NUMBER,
        name="a hold on collection ended with the last dispute that asked for it, or somebody said why it stays",
        find_offenders=rows_of(
            """
            SELECT dispute.id AS dispute, hold.id AS hold FROM disputes_disputehold mine
            JOIN disputes_dispute dispute ON dispute.id = mine.dispute_id
            JOIN cycle_collectionhold hold ON hold.id = mine.hold_id
            LEFT JOIN core_auditentry entry ON entry.id = mine.kept_entry_id
            WHERE (hold.lifted_at IS NULL AND NOT EXISTS (
                    SELECT 1 FROM disputes_disputehold one JOIN disputes_dispute asking ON asking.id = one.dispute_id
                    WHERE one.hold_id = hold.id AND (asking.status <> 'closed' OR one.kept_at IS NOT NULL)))
               OR hold.invoice_id <> dispute.invoice_id
               OR (mine.kept_at IS NOT NULL AND (entry.subject <> 'dispute:' || dispute.id
                   OR entry.facts ->> 'reason' IS DISTINCT FROM mine.kept_reason))
            ORDER BY dispute.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="no dispute that closed lifted a hold on collection that another open one had asked for",
        find_offenders=rows_of(
            """
            SELECT mine.dispute_id AS dispute, hold.id AS hold FROM disputes_disputehold mine
            JOIN cycle_collectionhold hold ON hold.id = mine.hold_id
            JOIN core_auditentry lifting ON lifting.id = hold.lifting_entry_id
            WHERE lifting.facts ? 'dispute' AND (lifting.facts ->> 'dispute')::bigint <> mine.dispute_id
              AND (mine.joined_entry_id IS NULL OR mine.joined_entry_id < lifting.id)
              AND NOT EXISTS (
                SELECT 1 FROM disputes_disputetransition move
                WHERE move.dispute_id = mine.dispute_id AND move.to_status = 'closed'
                  AND move.audit_entry_id < lifting.id)
            ORDER BY mine.id
            """
        ),
    ),
    Invariant(
        number=NUMBER,
        name="an invoice on hold for collection is final",
        find_offenders=rows_of(
            """
            SELECT hold.id AS hold, hold.invoice_id FROM cycle_collectionhold hold
            JOIN cycle_invoice invoice ON invoice.id = hold.invoice_id WHERE invoice.status <> 'final' ORDER BY hold.id
            """
        ),
    ),
]
