"""What must hold of payments; the numbers are those of the project's list of invariants."""

from collections.abc import Iterator

from core.invariants import Invariant, rows_of
from invoicing.payments.models import Payment
from invoicing.payments.rules import lifecycle

_OWED = """
    WITH booked AS (
        SELECT entry.customer_id, entry.currency, sum(posting.debit - posting.credit) AS owed
        FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
        WHERE posting.account IN ('accounts_receivable', 'customer_balance_liability')
        GROUP BY entry.customer_id, entry.currency
    ), invoiced AS (
        SELECT customer_id, currency, sum(total + payable_rounding) AS owed
        FROM cycle_invoice WHERE status = 'final'
        GROUP BY customer_id, currency
    ), paid AS (
        SELECT invoice.customer_id, payment.currency, sum(payment.received - payment.refunded) AS kept
        FROM payments_payment payment JOIN cycle_invoice invoice ON invoice.id = payment.invoice_id
        GROUP BY invoice.customer_id, payment.currency
    )
    SELECT customer_id AS customer, currency, invoiced.owed AS invoiced, paid.kept AS paid, booked.owed AS booked
    FROM booked FULL JOIN invoiced USING (customer_id, currency) FULL JOIN paid USING (customer_id, currency)
    WHERE COALESCE(booked.owed, 0) <> COALESCE(invoiced.owed, 0) - COALESCE(paid.kept, 0) ORDER BY 1, 2
"""
# What each step moves in cash or at the gateway, against what its one entry has there.
_CASH = """
    WITH step AS (
        SELECT move.id, move.entry_id, 'payment:' || move.payment_id || ':' || move.revision || ':' || move.step AS key,
               CASE move.step WHEN 'settled' THEN move.amount WHEN 'dispute_won' THEN move.amount
                    WHEN 'refunded' THEN -move.amount WHEN 'disputed' THEN -move.amount ELSE 0 END - move.fee AS cash
        FROM payments_paymenttransition move WHERE move.step NOT IN ('recorded', 'failed')
    ), entry AS (
        SELECT entry.id, entry.key, COALESCE(sum(posting.debit - posting.credit) FILTER (
                   WHERE posting.account IN ('cash', 'processor_clearing')), 0) AS cash
        FROM ledger_journalentry entry JOIN ledger_posting posting ON posting.entry_id = entry.id
        WHERE entry.key LIKE 'payment:%' AND entry.key NOT LIKE '%:set_off'
        GROUP BY entry.id
    )
    SELECT COALESCE(step.key, entry.key) AS entry, step.cash AS told, entry.cash AS booked
    FROM step FULL JOIN entry ON entry.key = step.key
    WHERE step.key IS NULL OR entry.key IS NULL OR step.entry_id <> entry.id OR step.cash <> entry.cash
    ORDER BY 1
"""
_CASH_ELSEWHERE = """
    SELECT entry.key, posting.account, posting.debit - posting.credit AS moved
    FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
    WHERE posting.account IN ('cash', 'processor_clearing', 'payment_fees', 'disputes_receivable', 'dispute_fees',
                              'bad_debt_or_refund')
      AND NOT EXISTS (SELECT 1 FROM payments_paymenttransition move WHERE move.entry_id = entry.id)
    ORDER BY entry.id
"""
_DISPUTED = """
    WITH booked AS (
        SELECT entry.currency, sum(posting.debit - posting.credit) AS amount
        FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
        WHERE posting.account = 'disputes_receivable' GROUP BY entry.currency
    ), told AS (
        SELECT currency, sum(contested) AS amount FROM payments_payment GROUP BY currency
    )
    SELECT currency, told.amount AS contested, booked.amount AS booked
    FROM booked FULL JOIN told USING (currency)
    WHERE COALESCE(booked.amount, 0) <> COALESCE(told.amount, 0) ORDER BY 1
"""
_TOO_MUCH = """
    SELECT invoice.number, sum(payment.received - payment.refunded) AS paid,
           invoice.total - invoice.prepaid + invoice.payable_rounding AS asked, over.amount AS overpaid
    FROM payments_payment payment
    JOIN cycle_invoice invoice ON invoice.id = payment.invoice_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(too_much.amount), 0) AS amount
        FROM payments_overpayment too_much
        JOIN payments_paymenttransition move ON move.id = too_much.transition_id
        JOIN payments_payment one ON one.id = move.payment_id WHERE one.invoice_id = invoice.id
    ) over
    GROUP BY invoice.id, over.amount
    HAVING sum(payment.received - payment.refunded)
           > invoice.total - invoice.prepaid + invoice.payable_rounding + over.amount
    ORDER BY invoice.id
"""
_OF_ANOTHER_KIND = """
    SELECT payment.id AS payment, invoice.number, invoice.status, invoice.currency, payment.currency AS paid_in
    FROM payments_payment payment JOIN cycle_invoice invoice ON invoice.id = payment.invoice_id
    WHERE invoice.status <> 'final' OR invoice.document_type <> 'invoice' OR invoice.currency <> payment.currency
    ORDER BY payment.id
"""
_TOLD_TWICE = """
    SELECT 'event' AS kind, gateway || ' ' || event_id AS id, count(*) AS times
    FROM payments_gatewayevent GROUP BY gateway, event_id HAVING count(*) > 1
    UNION ALL
    SELECT kind, external_id, count(*) FROM payments_paymentobject GROUP BY kind, external_id HAVING count(*) > 1
    UNION ALL
    SELECT 'payment', gateway || ' ' || gateway_id, count(*)
    FROM payments_payment WHERE gateway <> '' GROUP BY gateway, gateway_id HAVING count(*) > 1
    UNION ALL
    SELECT 'event without effect', event.event_id, 0 FROM payments_gatewayevent event
    JOIN payments_paymenttransition move ON move.event_id = event.id WHERE event.outcome <> 'applied'
    ORDER BY 1, 2
"""
_AUDIT = """
    SELECT move.payment_id AS payment, move.revision, entry.reference, entry.action
    FROM payments_paymenttransition move JOIN core_auditentry entry ON entry.id = move.audit_entry_id
    WHERE (entry.action, entry.subject, entry.actor_id, entry.recorded_at) IS DISTINCT FROM
          ('payment.' || move.step, 'payment:' || move.payment_id, move.actor_id, move.recorded_at)
       OR (entry.facts ->> 'from', entry.facts ->> 'to', (entry.facts ->> 'amount')::numeric)
          IS DISTINCT FROM (move.from_status, move.to_status, move.amount)
    ORDER BY 1, 2
"""
_FOUR_EYES = (
    "SELECT id AS refund FROM payments_refundrequest WHERE decision = 'confirmed' AND decided_by_id = asked_by_id"
)


def _find_illegal_logs() -> Iterator[str]:
    """The table asked once more, in Python, and the figures as sums of the steps."""
    for payment in Payment.objects.order_by("pk").prefetch_related("transitions").iterator(chunk_size=500):
        moves = sorted(payment.transitions.all(), key=lambda move: move.revision)
        log = [(str(move.from_status), str(move.step), str(move.to_status)) for move in moves]
        sums = {name: sum(move.amount for move in moves if move.step == name) for name in ("settled", "refunded")}
        stands = (payment.received, payment.refunded, payment.revision)
        ranks = [lifecycle.RANKS[move.to_status] for move in moves if move.step != lifecycle.Step.WON]
        before = [lifecycle.RANKS[move.from_status] for move in moves if move.step != lifecycle.Step.WON]
        if (
            not lifecycle.is_legal_log(log, status=payment.status)
            or stands != (sums["settled"], sums["refunded"], len(moves))
            or any(after < begun for begun, after in zip(before, ranks, strict=True))
        ):
            yield f"payment {payment.pk}, {payment.status}"


INVARIANTS = [
    Invariant(
        number=31,
        name="what a customer owes in the books is what final invoices say less what was paid",
        find_offenders=rows_of(_OWED),
    ),
    Invariant(
        number=32,
        name="each step of a payment that moves money has exactly one entry, over its money",
        find_offenders=rows_of(_CASH),
    ),
    Invariant(
        number=32, name="money, fees and disputes are booked by payments alone", find_offenders=rows_of(_CASH_ELSEWHERE)
    ),
    Invariant(
        number=32,
        name="what the books hold as contested is what payments in dispute come to",
        find_offenders=rows_of(_DISPUTED),
    ),
    Invariant(
        number=33,
        name="every payment went by the table and stands where its steps led",
        find_offenders=lambda: list(_find_illegal_logs()),
    ),
    Invariant(
        number=33,
        name="a payment is for a final invoice, in its currency",
        find_offenders=rows_of(_OF_ANOTHER_KIND),
    ),
    Invariant(number=33, name="one audit reference tells each step of a payment", find_offenders=rows_of(_AUDIT)),
    Invariant(
        number=34,
        name="what was paid above an invoice is kept as an overpayment",
        find_offenders=rows_of(_TOO_MUCH),
    ),
    Invariant(
        number=35,
        name="what a gateway told is applied once, and each of its ids names one payment",
        find_offenders=rows_of(_TOLD_TWICE),
    ),
    Invariant(number=38, name="whoever asked for a refund did not confirm it", find_offenders=rows_of(_FOUR_EYES)),
]
