"""What must hold of exposures; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=31,
        name="what exposures say is unpaid was in the books when they were made",
        find_offenders=rows_of(
            """
            SELECT one.id AS exposure, one.unpaid, coalesce(books.owed, 0) AS books
            FROM exposure_exposure one
            LEFT JOIN LATERAL (
                SELECT sum(posting.debit - posting.credit) AS owed
                FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
                WHERE entry.customer_id = one.customer_id AND entry.currency = one.currency
                  AND entry.posted_at < one.as_of - interval '1 minute'
                  AND posting.account IN ('accounts_receivable', 'customer_balance_liability')
            ) books ON true
            WHERE NOT EXISTS (SELECT FROM ledger_journalentry entry
                              WHERE entry.customer_id = one.customer_id AND entry.currency = one.currency
                                AND entry.posted_at >= one.as_of - interval '1 minute')
              AND one.unpaid <> coalesce(books.owed, 0)
            ORDER BY one.id
            """
        ),
    ),
    Invariant(
        number=31,
        name="the end of a day is that of the exposure",
        find_offenders=rows_of(
            """
            SELECT one.id AS exposure, day.total AS day, one.total
            FROM exposure_exposure one JOIN exposure_exposureday day
              ON day.customer_id = one.customer_id AND day.currency = one.currency AND day.as_of = one.as_of
            WHERE day.total <> one.total ORDER BY one.id
            """
        ),
    ),
]
