"""What a final invoice means for the books."""

from datetime import datetime

from invoicing.cycle.models import Invoice
from invoicing.ledger import post
from invoicing.ledger.models import JournalEntry
from invoicing.ledger.rules import booking
from invoicing.ledger.rules.booking import Earned


def entry_key(invoice_id: int) -> str:
    """Under which the entry of an invoice is posted, once for ever."""
    return f"invoice:{invoice_id}:final"


def book_invoice(invoice: Invoice, *, at: datetime) -> JournalEntry | None:
    """Post the entry of an invoice that has just become final, in its transaction; None where it comes to nothing."""
    assert invoice.issue_date is not None  # noqa: S101  a final invoice has one
    lines = [
        *invoice.lines.values_list("amount", "rated_line__charge__meter"),
        *invoice.credit_lines.values_list("amount", "credits__rated_line__charge__meter"),
    ]
    earned = [(Earned.FEE if meter is None else Earned.USAGE, amount) for amount, meter in lines]
    agreed = ((Earned.ALLOWANCE, -invoice.allowances), (Earned.CHARGE, invoice.charges))
    earned += [one for one in (*agreed, (Earned.ROUNDING, invoice.payable_rounding)) if one[1]]
    return post.post_entry(
        key=entry_key(invoice.pk),
        memo=f"Invoice {invoice.number}",
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        booked_on=invoice.issue_date,
        lines=booking.book_invoice(earned=earned, tax=invoice.tax),
        at=at,
    )
