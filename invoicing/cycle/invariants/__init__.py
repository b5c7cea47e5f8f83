"""What must hold of invoices; the numbers are those of the project's list of invariants."""

from invoicing.cycle.invariants import books, changes, closes, decisions, figures, off_cycle, replayed

INVARIANTS = [
    *figures.INVARIANTS,
    *decisions.INVARIANTS,
    *changes.INVARIANTS,
    *books.INVARIANTS,
    *closes.INVARIANTS,
    *off_cycle.INVARIANTS,
    *replayed.INVARIANTS,
]
