"""The invariants between invoices and the books."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=25,
        name="every row of a final document is linked to the balanced entry that holds it",
        find_offenders=rows_of(
            """
            WITH row AS (
                SELECT line.invoice_id, 'line ' || line.id AS name, booking.id AS booking, line.amount,
                       booking.amount AS booked, booking.entry_id
                FROM cycle_invoiceline line LEFT JOIN cycle_linebooking booking ON booking.line_id = line.id
                UNION ALL
                SELECT line.invoice_id, 'credit line ' || line.id, booking.id, line.amount, booking.amount,
                       booking.entry_id
                FROM cycle_creditline line LEFT JOIN cycle_linebooking booking ON booking.credit_line_id = line.id
                UNION ALL
                SELECT part.invoice_id, 'allowance ' || part.id, booking.id,
                       CASE part.kind WHEN 'charge' THEN part.amount ELSE -part.amount END, booking.amount,
                       booking.entry_id
                FROM cycle_invoiceallowancecharge part
                LEFT JOIN cycle_linebooking booking ON booking.allowance_id = part.id
                UNION ALL
                SELECT tax.invoice_id, 'tax ' || tax.id, booking.id, tax.tax, booking.amount, booking.entry_id
                FROM cycle_invoicetax tax LEFT JOIN cycle_linebooking booking ON booking.tax_id = tax.id
            )
            SELECT invoice.number, row.name, row.amount, row.booked
            FROM row
            JOIN cycle_invoice invoice ON invoice.id = row.invoice_id
            LEFT JOIN ledger_journalentry entry ON entry.key = 'invoice:' || invoice.id || ':final'
            WHERE (invoice.status = 'final' AND entry.id IS NOT NULL
                   AND (row.booking IS NULL OR row.booked <> row.amount OR row.entry_id <> entry.id))
               OR (invoice.status <> 'final' AND row.booking IS NOT NULL)
            ORDER BY invoice.id, row.name
            """
        ),
    ),
    Invariant(
        number=29,
        name="the postings of a document are the sums of its rows",
        find_offenders=rows_of(
            """
            SELECT entry.key, posting.account, posting.credit - posting.debit AS posted, sum(booking.amount) AS rows
            FROM ledger_posting posting
            JOIN ledger_journalentry entry ON entry.id = posting.entry_id AND entry.key LIKE 'invoice:%:final'
            LEFT JOIN cycle_linebooking booking ON booking.posting_id = posting.id
            WHERE posting.account NOT IN
                ('accounts_receivable', 'customer_balance_liability', 'rounding_differences')
            GROUP BY entry.id, posting.id
            HAVING COALESCE(sum(booking.amount), 0) <> posting.credit - posting.debit
                OR bool_or(booking.account <> posting.account)
            UNION ALL
            SELECT entry.key, booking.account, 0, sum(booking.amount)
            FROM cycle_linebooking booking JOIN ledger_journalentry entry ON entry.id = booking.entry_id
            WHERE booking.posting_id IS NULL
            GROUP BY entry.id, booking.account HAVING sum(booking.amount) <> 0
            ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=29,
        name="what is deferred is what was billed in advance and is not earned yet",
        find_offenders=rows_of(
            """
            WITH deferred AS (
                SELECT entry.customer_id, entry.currency, sum(posting.credit - posting.debit) AS amount
                FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
                WHERE posting.account = 'deferred_revenue' GROUP BY entry.customer_id, entry.currency
            ), billed AS (
                SELECT invoice.customer_id, invoice.currency, sum(booking.amount) AS amount
                FROM cycle_linebooking booking JOIN cycle_invoice invoice ON invoice.id = booking.invoice_id
                WHERE booking.account = 'deferred_revenue' GROUP BY invoice.customer_id, invoice.currency
            ), earned AS (
                SELECT invoice.customer_id, invoice.currency, sum(part.amount) AS amount
                FROM cycle_recognition part
                JOIN cycle_invoiceline line ON line.id = part.line_id
                JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
                GROUP BY invoice.customer_id, invoice.currency
            )
            SELECT customer_id AS customer, currency, deferred.amount AS deferred, billed.amount AS billed,
                   earned.amount AS earned
            FROM deferred FULL JOIN billed USING (customer_id, currency) FULL JOIN earned USING (customer_id, currency)
            WHERE COALESCE(deferred.amount, 0) <> COALESCE(billed.amount, 0) - COALESCE(earned.amount, 0)
            ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=29,
        name="an entry of earned revenue is the sum of what its lines earned, and never ahead of their time",
        find_offenders=rows_of(
            """
            SELECT entry.key, sum(part.amount) AS earned
            FROM ledger_journalentry entry LEFT JOIN cycle_recognition part ON part.entry_id = entry.id
            WHERE entry.key LIKE 'recognition:%'
            GROUP BY entry.id
            HAVING COALESCE(sum(part.amount), 0) <> (
                SELECT sum(posting.credit - posting.debit) FROM ledger_posting posting
                WHERE posting.entry_id = entry.id AND posting.account = 'revenue_subscription')
            UNION ALL
            SELECT 'line ' || line.id, sum(part.amount)
            FROM cycle_recognition part JOIN cycle_invoiceline line ON line.id = part.line_id
            GROUP BY line.id
            HAVING sum(part.amount) * line.amount < 0 OR abs(sum(part.amount)) > abs(line.amount)
            ORDER BY 1
            """
        ),
    ),
    Invariant(
        number=31,
        name="no customer owes and has a balance at the same time",
        find_offenders=rows_of(
            """
            SELECT entry.customer_id AS customer, entry.currency
            FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
            GROUP BY entry.customer_id, entry.currency
            HAVING sum(posting.debit - posting.credit) FILTER (WHERE posting.account = 'accounts_receivable') > 0
               AND sum(posting.credit - posting.debit) FILTER (WHERE posting.account = 'customer_balance_liability') > 0
            ORDER BY 1, 2
            """
        ),
    ),
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
]
