"""The invariants between invoices and the books."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=30,
        name="a final invoice has one journal entry over its total, and no other entry names an invoice",
        find_offenders=rows_of(
            """
            WITH owed AS (
                SELECT entry.key, entry.currency, entry.customer_id, entry.booked_on,
                       COALESCE(sum(posting.debit - posting.credit) FILTER (
                           WHERE posting.account IN ('accounts_receivable', 'customer_balance_liability')), 0) AS total,
                       COALESCE(sum(posting.credit - posting.debit) FILTER (
                           WHERE posting.account = 'tax_payable'), 0) AS tax
                FROM ledger_journalentry entry JOIN ledger_posting posting ON posting.entry_id = entry.id
                WHERE entry.key LIKE 'invoice:%:final'
                GROUP BY entry.id
            ), final AS (
                SELECT 'invoice:' || id || ':final' AS key, currency, customer_id, issue_date,
                       total + payable_rounding AS total, tax
                FROM cycle_invoice WHERE status = 'final'
            )
            SELECT COALESCE(final.key, owed.key) AS entry, final.total AS invoiced, owed.total AS booked
            FROM final FULL JOIN owed ON owed.key = final.key
            WHERE final.key IS NULL
               OR (owed.key IS NULL AND (final.total <> 0 OR final.tax <> 0))
               OR (final.total, final.tax, final.currency, final.customer_id, final.issue_date)
                  IS DISTINCT FROM (owed.total, owed.tax, owed.currency, owed.customer_id, owed.booked_on)
                  AND owed.key IS NOT NULL
            ORDER BY 1
            """
        ),
    ),
    Invariant(
        number=31,
        name="what a customer owes in the books is what final invoices say",
        find_offenders=rows_of(
            """
            WITH booked AS (
                SELECT entry.customer_id, entry.currency, sum(posting.debit - posting.credit) AS owed
                FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
                WHERE posting.account IN ('accounts_receivable', 'customer_balance_liability')
                GROUP BY entry.customer_id, entry.currency
            ), invoiced AS (
                SELECT customer_id, currency, sum(total + payable_rounding) AS owed
                FROM cycle_invoice WHERE status = 'final'
                GROUP BY customer_id, currency
            )
            SELECT customer_id AS customer, currency, invoiced.owed AS invoiced, booked.owed AS booked
            FROM booked FULL JOIN invoiced USING (customer_id, currency)
            WHERE COALESCE(booked.owed, 0) <> COALESCE(invoiced.owed, 0) ORDER BY 1, 2
            """
        ),
    ),
]
