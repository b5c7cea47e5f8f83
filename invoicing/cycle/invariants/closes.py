"""The invariants of closes: their rows add up, and nobody is parked for a period that was drafted."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=19,
        name="a close that ended has looked at all its periods",
        find_offenders=rows_of(
            """
            SELECT id AS close, total, done, drafted, nothing_to_bill, failed
            FROM cycle_closerun
            WHERE ended_at IS NOT NULL AND stopped_by = ''
              AND (done <> total OR drafted + nothing_to_bill + failed > done)
            ORDER BY id
            """
        ),
    ),
    Invariant(
        number=13,
        name="a close that ended reads agreements as of no instant any more",
        find_offenders=rows_of(
            """
            SELECT run.id AS close, known.known_at
            FROM cycle_closerun run JOIN core_knowninstant known ON known.id = run.known_id
            WHERE run.ended_at IS NOT NULL AND known.released_at IS NULL
            ORDER BY run.id
            """
        ),
    ),
    Invariant(
        number=24,
        name="an invoice with figures far outside its customer's past was born held",
        find_offenders=rows_of(
            """
            SELECT DISTINCT figure.invoice_id AS invoice
            FROM cycle_unusualfigure figure JOIN cycle_invoice invoice ON invoice.id = figure.invoice_id
            WHERE NOT EXISTS (
                SELECT 1 FROM cycle_hold hold
                WHERE hold.invoice_id = invoice.id AND hold.placed_by_id IS NULL AND hold.placed_at = invoice.drafted_at
            )
            ORDER BY 1
            """
        ),
    ),
    Invariant(
        number=19,
        name="no customer is parked for a period that has an invoice",
        find_offenders=rows_of(
            """
            SELECT parked.id AS parked, parked.customer_id AS customer, parked.period_start, invoice.id AS invoice
            FROM cycle_parkedcustomer parked
            JOIN cycle_billingcycle cycle
              ON (cycle.subscription_id, cycle.period_start) = (parked.subscription_id, parked.period_start)
            JOIN cycle_invoice invoice ON invoice.cycle_id = cycle.id AND invoice.status <> 'discarded'
            WHERE parked.left_at IS NULL
            ORDER BY parked.id
            """
        ),
    ),
]
