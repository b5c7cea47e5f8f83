"""An offence against each invariant of invoices inside a period; planted in one that is closed, its interim issued."""

OFFENCES = [
    (
        "the invoice of a period takes off every line that interim invoices billed of it, once",
        "DELETE FROM cycle_deduction",
    ),
    (
        "what is taken off was issued inside the same period",
        "UPDATE cycle_deduction SET billed_id = line_id",
    ),
    (
        "an interim invoice takes off what earlier ones billed of the same charges, once",
        "UPDATE cycle_invoice SET kind = 'interim' WHERE kind = 'cycle'; DELETE FROM cycle_deduction",
    ),
    (
        "an interim invoice lies inside its period, and nothing else of the period is undecided beside it",
        "UPDATE cycle_invoice SET period_start = period_start + interval '1 day' WHERE kind = 'interim'",
    ),
    (
        "an interim invoice was brought by an amount that its signed policy names",
        "UPDATE cycle_interimfiring SET threshold = 4",
    ),
    (
        "an interim invoice was brought by an amount that its signed policy names",
        """
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_number_only_when_final;
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_approved_as_it_is;
        UPDATE cycle_invoice SET kind = 'cycle', status = 'discarded' WHERE kind = 'interim';
        """,
    ),
]
