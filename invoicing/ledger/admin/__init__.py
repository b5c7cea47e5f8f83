"""Pages of the books: the journal, the trial balance, the numbers of the general ledger."""

from invoicing.ledger.admin import journal, numbers

__all__ = ["journal", "numbers"]
