"""What must hold of the books; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=29,
        name="every journal entry balances",
        find_offenders=rows_of(
            """
            SELECT entry.key, COALESCE(sum(posting.debit), 0) AS debit, COALESCE(sum(posting.credit), 0) AS credit
            FROM ledger_journalentry entry LEFT JOIN ledger_posting posting ON posting.entry_id = entry.id
            GROUP BY entry.id
            HAVING COALESCE(sum(posting.debit), 0) <> COALESCE(sum(posting.credit), 0)
                OR COALESCE(sum(posting.debit), 0) = 0
            ORDER BY entry.id
            """
        ),
    ),
    Invariant(
        number=29,
        name="the books balance in every currency",
        find_offenders=rows_of(
            """
            SELECT entry.currency, sum(posting.debit) AS debit, sum(posting.credit) AS credit
            FROM ledger_posting posting JOIN ledger_journalentry entry ON entry.id = posting.entry_id
            GROUP BY entry.currency HAVING sum(posting.debit) <> sum(posting.credit) ORDER BY entry.currency
            """
        ),
    ),
]
