"""The invariants of invoices inside a period: what brought them was agreed, and nothing is billed twice."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=17,
        name="the invoice of a period takes off every line that interim invoices billed of it, once",
        find_offenders=rows_of(
            """
            SELECT whole.id AS invoice, billed.id AS billed, count(deduction.id) AS times
            FROM cycle_invoice whole
            JOIN cycle_invoice interim ON interim.cycle_id = whole.cycle_id AND interim.kind = 'interim'
             AND interim.status = 'final'
            JOIN cycle_invoiceline billed ON billed.invoice_id = interim.id
            LEFT JOIN (cycle_deduction deduction JOIN cycle_invoiceline line ON line.id = deduction.line_id)
              ON deduction.billed_id = billed.id AND line.invoice_id = whole.id
            WHERE whole.kind = 'cycle' AND whole.status <> 'discarded'
            GROUP BY whole.id, billed.id HAVING count(deduction.id) <> 1 ORDER BY whole.id, billed.id
            """
        ),
    ),
    Invariant(
        number=17,
        name="an interim invoice takes off what earlier ones billed of the same charges, once",
        find_offenders=rows_of(
            """
            SELECT interim.id AS invoice, billed.id AS billed, count(deduction.id) AS times
            FROM cycle_invoice interim
            JOIN cycle_invoice earlier ON earlier.cycle_id = interim.cycle_id AND earlier.kind = 'interim'
             AND earlier.status = 'final' AND earlier.id < interim.id
            JOIN cycle_invoiceline billed ON billed.invoice_id = earlier.id
            JOIN rating_ratedline rated ON rated.id = billed.rated_line_id
            LEFT JOIN (cycle_deduction deduction JOIN cycle_invoiceline line ON line.id = deduction.line_id)
              ON deduction.billed_id = billed.id AND line.invoice_id = interim.id
            WHERE interim.kind = 'interim' AND interim.status <> 'discarded'
              AND EXISTS (SELECT 1 FROM cycle_invoiceline own JOIN rating_ratedline mine ON mine.id = own.rated_line_id
                          WHERE own.invoice_id = interim.id AND mine.charge_id = rated.charge_id)
            GROUP BY interim.id, billed.id HAVING count(deduction.id) <> 1 ORDER BY interim.id, billed.id
            """
        ),
    ),
    Invariant(
        number=17,
        name="what is taken off was issued inside the same period",
        find_offenders=rows_of(
            """
            SELECT deduction.id AS deduction
            FROM cycle_deduction deduction
            JOIN cycle_invoiceline line ON line.id = deduction.line_id
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            JOIN cycle_invoiceline billed ON billed.id = deduction.billed_id
            JOIN cycle_invoice issued ON issued.id = billed.invoice_id
            WHERE issued.kind <> 'interim' OR issued.status <> 'final' OR issued.cycle_id <> invoice.cycle_id
               OR invoice.id <= issued.id
            ORDER BY deduction.id
            """
        ),
    ),
    Invariant(
        number=19,
        name="an interim invoice lies inside its period, and nothing else of the period is undecided beside it",
        find_offenders=rows_of(
            """
            SELECT interim.id AS invoice, beside.id AS beside
            FROM cycle_invoice interim
            JOIN cycle_billingcycle cycle ON cycle.id = interim.cycle_id
            LEFT JOIN cycle_invoice beside ON beside.cycle_id = cycle.id AND beside.id <> interim.id
             AND beside.kind IN ('cycle', 'interim') AND beside.status IN ('draft', 'held', 'approved')
             AND interim.status IN ('draft', 'held', 'approved')
            WHERE interim.kind = 'interim' AND (
                beside.id IS NOT NULL OR interim.period_start <> cycle.period_start
                OR interim.period_end > cycle.period_end OR interim.customer_id <> cycle.customer_id)
            ORDER BY interim.id
            """
        ),
    ),
    Invariant(
        number=28,
        name="an interim invoice was brought by an amount that its signed policy names",
        find_offenders=rows_of(
            """
            SELECT invoice.id AS invoice, firing.id AS firing
            FROM cycle_invoice invoice
            LEFT JOIN cycle_interimfiring firing ON firing.invoice_id = invoice.id
            LEFT JOIN policy_triggerpolicy policy ON policy.id = firing.policy_id
            WHERE (invoice.kind = 'interim') <> (firing.id IS NOT NULL)
               OR (firing.id IS NOT NULL AND (
                    (firing.policy_id, firing.cycle_id, firing.watermark_id, firing.currency)
                        <> (invoice.policy_id, invoice.cycle_id, invoice.watermark_id, invoice.currency)
                    OR policy.terms -> 'cadence' ->> 'model' NOT IN ('threshold', 'hybrid')
                    OR NOT EXISTS (
                        SELECT 1 FROM jsonb_array_elements(
                            CASE firing.cause WHEN 'unbilled_amount' THEN policy.terms -> 'off_cycle' -> 'triggers'
                                              ELSE policy.terms -> 'charge_controls' END) AS said
                        WHERE said ->> 'kind' = firing.cause AND said ->> 'currency' = firing.currency
                          AND (said ->> 'amount')::numeric = firing.threshold
                          AND coalesce(said ->> 'action', 'interim_bill') = 'interim_bill')))
            ORDER BY invoice.id
            """
        ),
    ),
]
