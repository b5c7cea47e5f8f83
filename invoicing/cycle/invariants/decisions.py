"""The invariants of decisions: one invoice per period, numbers without gap, moves by the table, two persons."""

from collections.abc import Iterator
from itertools import groupby

from core.invariants import Invariant, rows_of
from invoicing.cycle.models import Invoice, InvoiceTransition
from invoicing.cycle.rules import lifecycle

STREAM_ROWS = 500


def _find_illegal_logs() -> Iterator[str]:
    """Walk every log of moves through the table of states."""
    rows = InvoiceTransition.objects.order_by("invoice_id", "id").values_list(
        "invoice_id", "invoice__status", "invoice__revision", "from_status", "to_status", "revision"
    )
    seen = set()
    for (invoice_id, status, revision), moves in groupby(
        rows.iterator(chunk_size=STREAM_ROWS), key=lambda row: (row[0], row[1], row[2])
    ):
        log = list(moves)
        seen.add(invoice_id)
        steps = [(from_status, to_status) for *_, from_status, to_status, _ in log]
        if [row[-1] for row in log] != list(range(revision + 1)) or not lifecycle.is_legal_log(steps, status=status):
            yield f"invoice {invoice_id}"
    yield from (
        f"invoice {invoice_id} without a log"
        for invoice_id in Invoice.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=STREAM_ROWS)
        if invoice_id not in seen
    )


INVARIANTS = [
    Invariant(
        number=28,
        name="an invoice names a policy of its customer's program that was signed when it was drafted",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, invoice.policy_id AS policy
            FROM cycle_invoice invoice LEFT JOIN policy_triggerpolicy policy ON policy.id = invoice.policy_id
            WHERE policy.id IS NULL OR policy.status <> 'signed'
               OR policy.decided_at > invoice.drafted_at OR policy.effective_at > invoice.drafted_at
               OR (policy.effective_at > policy.decided_at AND NOT EXISTS (
                   SELECT 1 FROM policy_policybeginning begun WHERE begun.policy_id = policy.id AND begun.holds))
               OR NOT EXISTS (
                   SELECT 1 FROM accounts_historicalcustomer customer
                   WHERE customer.id = invoice.customer_id AND customer.program = policy.program
                   UNION ALL
                   SELECT 1 FROM accounts_customer customer
                   WHERE customer.id = invoice.customer_id AND customer.program = policy.program
               )
            ORDER BY invoice.id
            """
        ),
    ),
    Invariant(
        number=19,
        name="a period of a subscription has one live invoice",
        find_offenders=rows_of(
            """
            SELECT cycle.subscription_id AS subscription, cycle.period_start, count(*) AS invoices
            FROM cycle_invoice invoice JOIN cycle_billingcycle cycle ON cycle.id = invoice.cycle_id
            WHERE invoice.status <> 'discarded' AND invoice.kind = 'cycle'
            GROUP BY cycle.subscription_id, cycle.period_start HAVING count(*) > 1 ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=19,
        name="the cycles of a subscription never overlap, and its invoices have their periods",
        find_offenders=rows_of(
            """
            SELECT one.id AS cycle, other.id AS overlaps
            FROM cycle_billingcycle one JOIN cycle_billingcycle other
              ON other.subscription_id = one.subscription_id AND other.id > one.id
             AND other.period_start < one.period_end AND other.period_end > one.period_start
            UNION ALL
            SELECT cycle.id, NULL
            FROM cycle_invoice invoice JOIN cycle_billingcycle cycle ON cycle.id = invoice.cycle_id
            WHERE invoice.kind = 'cycle' AND (invoice.period_start, invoice.period_end, invoice.customer_id)
               <> (cycle.period_start, cycle.period_end, cycle.customer_id)
            ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=21,
        name="the numbers of a series run from 1 without gap, and only final invoices have one",
        find_offenders=rows_of(
            """
            SELECT series.id AS series, series.next_number, count(*) AS numbers, min(invoice.running_number) AS first,
                   max(invoice.running_number) AS last
            FROM cycle_numberseries series LEFT JOIN cycle_invoice invoice ON invoice.series_id = series.id
            GROUP BY series.id
            HAVING min(invoice.running_number) IS DISTINCT FROM 1
                OR max(invoice.running_number) IS DISTINCT FROM count(DISTINCT invoice.running_number)
                OR count(*) <> count(DISTINCT invoice.running_number)
                OR series.next_number IS DISTINCT FROM max(invoice.running_number) + 1
                OR bool_or(invoice.status <> 'final')
            ORDER BY series.id
            """
        ),
    ),
    Invariant(
        number=22,
        name="numbers are in the order of finalizing and of the dates of issue",
        find_offenders=rows_of(
            """
            SELECT number, finalized_at, issue_date FROM (
                SELECT number, finalized_at, issue_date,
                       lag(finalized_at) OVER numbers AS before_at, lag(issue_date) OVER numbers AS before_date
                FROM cycle_invoice WHERE running_number IS NOT NULL
                WINDOW numbers AS (PARTITION BY series_id ORDER BY running_number)
            ) numbered
            WHERE finalized_at < before_at OR issue_date < before_date ORDER BY number
            """
        ),
    ),
    Invariant(
        number=23,
        name="nothing was finalized while a break was open",
        find_offenders=rows_of(
            """
            SELECT invoice.number, found.id AS break, found.name
            FROM cycle_invoice invoice JOIN cycle_break found ON found.invoice_id = invoice.id
            WHERE invoice.status = 'final' AND (found.closed_at IS NULL OR found.closed_at > invoice.finalized_at)
            ORDER BY found.id
            """
        ),
    ),
    Invariant(
        number=23,
        name="nothing was finalized while a break paused its customer's cycle",
        find_offenders=rows_of(
            """
            SELECT invoice.number, found.id AS break, found.invoice_id AS of_invoice
            FROM cycle_invoice invoice
            JOIN cycle_invoice other ON other.customer_id = invoice.customer_id AND other.id <> invoice.id
             AND other.period_start < invoice.period_end AND other.period_end > invoice.period_start
            JOIN cycle_break found ON found.invoice_id = other.id AND found.kind <> ''
            WHERE invoice.status = 'final' AND found.opened_at < invoice.finalized_at
              AND (found.closed_at IS NULL OR found.closed_at > invoice.finalized_at)
            ORDER BY found.id
            """
        ),
    ),
    Invariant(
        number=24,
        name="nothing was finalized while held",
        find_offenders=rows_of(
            """
            SELECT invoice.number, hold.id AS hold
            FROM cycle_invoice invoice JOIN cycle_hold hold ON hold.invoice_id = invoice.id
            WHERE invoice.status = 'final' AND (hold.released_at IS NULL OR hold.released_at > invoice.finalized_at)
            ORDER BY hold.id
            """
        ),
    ),
    Invariant(
        number=24,
        name="a held invoice has an open hold, no other has, and who released it is not who placed it",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, invoice.status, hold.id AS hold
            FROM cycle_invoice invoice LEFT JOIN cycle_hold hold
              ON hold.invoice_id = invoice.id AND hold.released_at IS NULL
            WHERE (invoice.status = 'held') <> (hold.id IS NOT NULL)
            UNION ALL
            SELECT invoice.id, invoice.status, hold.id
            FROM cycle_invoice invoice JOIN cycle_hold hold ON hold.invoice_id = invoice.id
            WHERE hold.released_by_id = hold.placed_by_id
               OR (hold.released_at IS NOT NULL AND hold.released_by_id IS NULL AND invoice.status <> 'discarded')
            ORDER BY 1, 3
            """
        ),
    ),
    Invariant(
        number=26,
        name="the log of moves is legal and ends in the present status",
        find_offenders=lambda: list(_find_illegal_logs()),
    ),
    Invariant(
        number=26,
        name="every move stands in the audit chain as it was made",
        find_offenders=rows_of(
            """
            SELECT move.id AS move, entry.reference
            FROM cycle_invoicetransition move JOIN core_auditentry entry ON entry.id = move.audit_entry_id
            WHERE entry.subject <> 'invoice:' || move.invoice_id
               OR entry.facts ->> 'from' IS DISTINCT FROM move.from_status
               OR entry.facts ->> 'to' IS DISTINCT FROM move.to_status
               OR entry.facts ->> 'content_hash' IS DISTINCT FROM move.content_hash
               OR entry.actor_id IS DISTINCT FROM move.actor_id
            ORDER BY move.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="who approved an invoice neither drafted it, nor had it redrafted, nor accepted a break on it",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, invoice.approved_by_id AS approved_by
            FROM cycle_invoice invoice
            WHERE invoice.approved_by_id = invoice.drafted_by_id
               OR EXISTS (SELECT 1 FROM cycle_break found
                          WHERE found.invoice_id = invoice.id AND found.closed_by_id = invoice.approved_by_id)
               OR EXISTS (SELECT 1 FROM cycle_invoice earlier
                          JOIN cycle_invoicetransition move
                            ON move.invoice_id = earlier.id AND move.to_status = 'discarded'
                          WHERE earlier.cycle_id = invoice.cycle_id AND earlier.kind = invoice.kind
                            AND earlier.id < invoice.id AND move.actor_id = invoice.approved_by_id)
            ORDER BY invoice.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="no approval is of a person who drafted, had redrafted, or accepted a break",
        find_offenders=rows_of(
            """
            SELECT approval.invoice_id AS invoice, approval.person_id AS person
            FROM cycle_invoiceapproval approval JOIN cycle_invoice invoice ON invoice.id = approval.invoice_id
            WHERE approval.person_id = invoice.drafted_by_id
               OR EXISTS (SELECT 1 FROM cycle_break found
                          WHERE found.invoice_id = invoice.id AND found.closed_by_id = approval.person_id
                            AND found.closed_at <= approval.given_at)
               OR EXISTS (SELECT 1 FROM cycle_invoice earlier
                          JOIN cycle_invoicetransition move
                            ON move.invoice_id = earlier.id AND move.to_status = 'discarded'
                          WHERE earlier.cycle_id = invoice.cycle_id AND earlier.kind = invoice.kind
                            AND earlier.id < invoice.id AND move.actor_id = approval.person_id)
            ORDER BY approval.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="what is approved or final was approved, as it stands, by as many people as its policy asks for",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, count(DISTINCT approval.person_id) AS people
            FROM cycle_invoice invoice
            LEFT JOIN policy_triggerpolicy policy ON policy.id = invoice.policy_id
            LEFT JOIN cycle_invoiceapproval approval
              ON approval.invoice_id = invoice.id AND approval.content_hash = invoice.content_hash
             AND approval.revision = invoice.revision - CASE invoice.status WHEN 'approved' THEN 1 ELSE 2 END
            WHERE invoice.status IN ('approved', 'final')
            GROUP BY invoice.id, policy.id
            HAVING bool_or(approval.person_id = invoice.approved_by_id) IS NOT TRUE
                OR count(DISTINCT approval.person_id) < CASE WHEN abs(invoice.total) > (
                       policy.terms #>> ARRAY['approval', 'second_person_above', invoice.currency])::numeric
                   THEN 2 ELSE 1 END
            ORDER BY invoice.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="every approval stands in the audit chain as it was given",
        find_offenders=rows_of(
            """
            SELECT approval.id AS approval, entry.reference
            FROM cycle_invoiceapproval approval JOIN core_auditentry entry ON entry.id = approval.audit_entry_id
            WHERE entry.subject <> 'invoice:' || approval.invoice_id
               OR entry.facts ->> 'content_hash' IS DISTINCT FROM approval.content_hash
               OR entry.actor_id IS DISTINCT FROM approval.person_id
            ORDER BY approval.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="who agreed that an offence is a false alarm did not say so first, and no figures are behind it",
        find_offenders=rows_of(
            """
            SELECT alarm.id AS false_alarm, offence.id AS offence, offence.number
            FROM cycle_falsealarm alarm JOIN cycle_offence offence ON offence.id = alarm.offence_id
            WHERE alarm.stated_by_id = alarm.decided_by_id OR offence.number < 19
               OR offence.number IN (20, 29, 30, 31, 43)
            ORDER BY alarm.id
            """
        ),
    ),
    Invariant(
        number=43,
        name="what was said of false alarms is in the audit chain as it was said",
        find_offenders=rows_of(
            """
            SELECT alarm.id AS false_alarm, alarm.decision
            FROM cycle_falsealarm alarm
            WHERE NOT EXISTS (
                SELECT 1 FROM core_auditentry entry
                WHERE entry.subject = 'offence:' || alarm.offence_id AND entry.action = 'offence.called_false'
                  AND entry.facts -> 'false_alarm' = to_jsonb(alarm.id) AND entry.actor_id = alarm.stated_by_id
                  AND entry.facts ->> 'reason' = alarm.reason)
               OR (alarm.decision <> '' AND NOT EXISTS (
                SELECT 1 FROM core_auditentry entry
                WHERE entry.subject = 'offence:' || alarm.offence_id
                  AND entry.action = 'offence.false_alarm_' || alarm.decision
                  AND entry.facts -> 'false_alarm' = to_jsonb(alarm.id) AND entry.actor_id = alarm.decided_by_id
                  AND entry.facts -> 'recounted' = alarm.recounted))
            ORDER BY alarm.id
            """
        ),
    ),
]
