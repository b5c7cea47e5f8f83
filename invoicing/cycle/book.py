"""What a final document means for the books, and which posting holds each of its rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Customer
from core import bulk
from invoicing.cycle.models import DocumentType, Invoice, InvoiceAllowanceCharge, InvoiceLine, LineBooking
from invoicing.cycle.rules.earning import earned_by
from invoicing.ledger import balances, post
from invoicing.ledger.models import JournalEntry, Posting
from invoicing.ledger.rules import booking, recognition
from invoicing.ledger.rules.booking import Earned
from invoicing.ledger.rules.chart import Account


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the document, the account that holds it, and what it adds there (credit less debit)."""

    field: str
    row: Any
    account: Account
    amount: Decimal


def entry_key(invoice_id: int) -> str:
    """Under which the entry of an invoice is posted, once for ever."""
    return f"invoice:{invoice_id}:final"


def book_invoice(invoice: Invoice, *, at: datetime) -> JournalEntry | None:
    """Post the entry of an invoice that has just become final, in its transaction; None where it comes to nothing.

    Every row of the document is linked to the posting that holds it. What the customer has in their favour then pays
    what they owe, as an entry of its own.
    """
    earned = [*_earned_by_lines(invoice), *_earned_by_parts(invoice)]
    taxes = [_Row("tax", tax, Account.TAX_PAYABLE, tax.tax) for tax in invoice.taxes.all()]
    money = [(kind, row.amount) for kind, row in earned]
    if invoice.payable_rounding:
        money.append((Earned.ROUNDING, invoice.payable_rounding))
    lines = booking.book_invoice(earned=money, tax=invoice.tax)
    name = "Credit note" if invoice.document_type == DocumentType.CREDIT_NOTE else "Invoice"
    entry = _post(invoice, key=entry_key(invoice.pk), memo=f"{name} {invoice.number}", lines=lines, at=at)
    if entry is not None:
        _link(invoice, entry, [*(row for _, row in earned), *taxes])
        _set_off(invoice, at=at)
    return entry


def _post(
    invoice: Invoice, *, key: str, memo: str, lines: tuple[booking.Line, ...], at: datetime
) -> JournalEntry | None:
    assert invoice.issue_date is not None  # noqa: S101  a final invoice has one
    return post.post_entry(
        key=key,
        memo=memo,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        booked_on=invoice.issue_date,
        lines=lines,
        at=at,
    )


def _earned_by_lines(invoice: Invoice) -> Iterable[tuple[Earned, _Row]]:
    """By what the line was earned; a correction, and what is given back, by what the corrected line was."""
    lines = invoice.lines.select_related("rated_line__price_version", "rated_line__charge", "adjusts__rated_line")
    for line in lines:
        kind = earned_of(line.adjusts or line)
        yield kind, _Row("line", line, booking.EARNED_ON[kind], line.amount)
    given = invoice.credit_lines.select_related("credits__rated_line__price_version", "credits__rated_line__charge")
    for each in given:
        kind = earned_of(each.credits)
        yield kind, _Row("credit_line", each, booking.EARNED_ON[kind], each.amount)


def earned_of(line: InvoiceLine) -> Earned:
    """What an original line was earned by."""
    rated, price = line.rated_line, line.rated_line.price_version
    return earned_by(
        model=price.model,
        is_metered=rated.charge.meter_id is not None,
        is_in_advance=price.params.get("billed") == "in_advance",
        amount=line.amount,
    )


def _earned_by_parts(invoice: Invoice) -> Iterable[tuple[Earned, _Row]]:
    for part in invoice.allowances_charges.all():
        is_charge = part.kind == InvoiceAllowanceCharge.Kind.CHARGE
        kind = Earned.CHARGE if is_charge else Earned.ALLOWANCE
        yield kind, _Row("allowance", part, booking.EARNED_ON[kind], part.amount if is_charge else -part.amount)


def _link(invoice: Invoice, entry: JournalEntry, rows: Iterable[_Row]) -> None:
    postings = {posting.account: posting for posting in Posting.objects.filter(entry=entry)}
    bulk.insert_rows(
        [
            bulk.new_row(
                LineBooking,
                invoice=invoice,
                entry=entry,
                posting=postings.get(str(one.account)),
                account=str(one.account),
                amount=one.amount,
                **{one.field: one.row},
            )
            for one in rows
        ]
    )


def _set_off(invoice: Invoice, *, at: datetime) -> None:
    """Two documents of a customer that become final at once meet at the customer's row."""
    Customer.objects.select_for_update(no_key=True).get(pk=invoice.customer_id)
    open_now = balances.customer_balances(customer_id=invoice.customer_id, currency=invoice.currency)
    lines = recognition.book_set_off(receivable=open_now.receivable, balance=open_now.balance)
    _post(invoice, key=f"invoice:{invoice.pk}:set_off", memo=f"Set off with {invoice.number}", lines=lines, at=at)
