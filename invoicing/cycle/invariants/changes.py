"""The invariants of changes to what was billed: every one was looked at, by somebody who did not ask for it."""

from collections.abc import Iterator

from core.invariants import Invariant, rows_of
from invoicing.cycle import delta
from invoicing.cycle.models import DeltaReport

STREAM_ROWS = 500


def _find_reports_that_changed() -> Iterator[str]:
    reports = (
        DeltaReport.objects.select_related("invoice", "replaces", "backfill").prefetch_related("rows").order_by("pk")
    )
    for report in reports.iterator(chunk_size=STREAM_ROWS):
        if delta.hash_of(report, report.rows.all()) != report.content_hash:
            yield f"delta report {report.pk}"


INVARIANTS = [
    Invariant(
        number=25,
        name="a correcting line stands on a delta report with its difference, approved before its invoice was",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, invoice.id AS invoice, report.id AS report
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            LEFT JOIN cycle_deltarow delta ON delta.line_id = line.id AND delta.corrects_id = line.adjusts_id
            LEFT JOIN cycle_deltareport report ON report.id = delta.report_id AND report.kind = 'adjustment'
            WHERE line.adjusts_id IS NOT NULL
              AND (report.id IS NULL OR delta.after_amount - delta.before_amount <> line.amount
                   OR delta.after_quantity - delta.before_quantity <> line.quantity
                   OR (invoice.status IN ('approved', 'final')
                       AND (report.status <> 'approved' OR report.decided_at > invoice.approved_at)))
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=25,
        name="a report that says that no amount changes has a line of an issued document in each row, and changes none",
        find_offenders=rows_of(
            """
            SELECT report.id AS report, delta.position, delta.before_amount, delta.after_amount, invoice.id AS invoice
            FROM cycle_deltareport report
            LEFT JOIN cycle_deltarow delta ON delta.report_id = report.id
            LEFT JOIN cycle_invoiceline line ON line.id = delta.corrects_id
            LEFT JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            WHERE report.kind = 'unchanged'
              AND (report.status <> 'noted' OR delta.id IS NULL OR delta.before_amount <> delta.after_amount
                   OR delta.line_id IS NOT NULL OR invoice.status IS DISTINCT FROM 'final')
            ORDER BY report.id, delta.position
            """
        ),
    ),
    Invariant(
        number=25,
        name="credit notes over an invoice come to no more than the invoice",
        find_offenders=rows_of(
            """
            SELECT issued.id AS invoice, issued.total, sum(note.total) AS credited
            FROM cycle_invoice note JOIN cycle_invoice issued ON issued.id = note.credits_id
            WHERE note.status <> 'discarded'
            GROUP BY issued.id
            HAVING sum(note.total) + issued.total < 0 OR sum(note.subtotal) + issued.subtotal < 0
                OR issued.status <> 'final' OR issued.document_type <> 'invoice'
                OR bool_or((note.customer_id, note.currency) <> (issued.customer_id, issued.currency))
            ORDER BY issued.id
            """
        ),
    ),
    Invariant(
        number=25,
        name="credits and corrections of a line together give back no more than the line",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, line.amount, credited.amount AS credited, corrected.amount AS corrected
            FROM cycle_invoiceline line
            CROSS JOIN LATERAL (
                SELECT sum(given.amount) AS amount
                FROM cycle_creditline given
                JOIN cycle_invoice note ON note.id = given.invoice_id AND note.status <> 'discarded'
                WHERE given.credits_id = line.id
            ) credited
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(later.amount), 0) AS amount
                FROM cycle_invoiceline later
                JOIN cycle_invoice carrier ON carrier.id = later.invoice_id AND carrier.status = 'final'
                WHERE later.adjusts_id = line.id
            ) corrected
            WHERE credited.amount IS NOT NULL
              AND (line.amount + corrected.amount + credited.amount) * line.amount < 0
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=25,
        name="every credit line stands on an approved delta report once its credit note is approved",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, invoice.id AS invoice
            FROM cycle_creditline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            LEFT JOIN cycle_deltareport report ON report.invoice_id = invoice.id AND report.kind = 'adjustment'
            LEFT JOIN cycle_deltarow delta ON delta.report_id = report.id AND delta.corrects_id = line.credits_id
            WHERE delta.id IS NULL OR delta.after_amount - delta.before_amount <> line.amount
               OR (invoice.status IN ('approved', 'final')
                   AND (report.status <> 'approved' OR report.decided_at > invoice.approved_at))
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=25,
        name="a delta report still says what was hashed when it was proposed",
        find_offenders=lambda: list(_find_reports_that_changed()),
    ),
    Invariant(
        number=26,
        name="every move of a delta report stands in the audit chain as it was made",
        find_offenders=rows_of(
            """
            SELECT report.id AS report, report.status
            FROM cycle_deltareport report
            WHERE NOT EXISTS (
                SELECT 1 FROM core_auditentry entry
                WHERE entry.subject = 'delta:' || report.id AND entry.action = 'delta.proposed'
                  AND entry.actor_id IS NOT DISTINCT FROM report.author_id
                  AND entry.facts ->> 'content_hash' = report.content_hash)
               OR (report.status <> 'proposed' AND NOT EXISTS (
                SELECT 1 FROM core_auditentry entry
                WHERE entry.subject = 'delta:' || report.id AND entry.action = 'delta.' || report.status
                  AND entry.actor_id IS NOT DISTINCT FROM report.decided_by_id
                  AND entry.facts ->> 'content_hash' = report.content_hash))
            ORDER BY report.id
            """
        ),
    ),
    Invariant(
        number=26,
        name="a backfill and its delta report are decided as one",
        find_offenders=rows_of(
            """
            SELECT batch.name, batch.status, report.id AS report, report.status AS decided
            FROM metering_backfill batch LEFT JOIN cycle_deltareport report ON report.backfill_id = batch.id
            WHERE (batch.status = 'open' AND report.id IS NOT NULL)
               OR (batch.status = 'sealed' AND report.status IS DISTINCT FROM 'proposed')
               OR (batch.status = 'approved' AND report.status IS DISTINCT FROM 'approved')
               OR (batch.status = 'reverted' AND report.id IS NOT NULL AND report.status <> 'rejected')
            ORDER BY batch.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="who decided on a delta report did not ask for it",
        find_offenders=rows_of(
            """
            SELECT id AS report, author_id AS author FROM cycle_deltareport WHERE decided_by_id = author_id ORDER BY id
            """
        ),
    ),
]
