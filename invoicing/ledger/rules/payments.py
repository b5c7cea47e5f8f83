"""What a step of a payment means for the books: where the money lies, what is owed, and what it cost."""

from collections.abc import Iterable
from decimal import Decimal

from core import rounding
from invoicing.ledger.rules.booking import Line
from invoicing.ledger.rules.chart import Account

NOTHING = Decimal(0)


def book_settled(*, amount: Decimal, fee: Decimal, owed: Decimal, place: Account) -> tuple[Line, ...]:
    """The customer paid `amount`, of which `owed` was due; the rest stands in their favour.

    `place` is where the money lies, less the fee that was kept of it.
    """
    with rounding.exactly():
        return _lines(
            (place, amount - fee),
            (Account.PAYMENT_FEES, fee),
            (Account.ACCOUNTS_RECEIVABLE, -owed),
            (Account.CUSTOMER_BALANCE, owed - amount),
        )


def book_refunded(*, amount: Decimal, fee: Decimal, in_favour: Decimal, place: Account) -> tuple[Line, ...]:
    """Money went back: first what the customer has in their favour, then it is owed again."""
    with rounding.exactly():
        balance = min(amount, in_favour)
        return _lines(
            (Account.CUSTOMER_BALANCE, balance),
            (Account.ACCOUNTS_RECEIVABLE, amount - balance),
            (Account.PAYMENT_FEES, fee),
            (place, -amount - fee),
        )


def book_disputed(*, amount: Decimal, fee: Decimal, place: Account) -> tuple[Line, ...]:
    """The bank of the customer took the money back until the dispute is decided."""
    with rounding.exactly():
        return _lines((Account.DISPUTES_RECEIVABLE, amount), (Account.DISPUTE_FEES, fee), (place, -amount - fee))


def book_won(*, amount: Decimal, fee: Decimal, place: Account) -> tuple[Line, ...]:
    """The money came back, with as much of the fee as was given back (`fee` below 0)."""
    with rounding.exactly():
        return _lines((place, amount - fee), (Account.DISPUTE_FEES, fee), (Account.DISPUTES_RECEIVABLE, -amount))


def book_lost(*, amount: Decimal, fee: Decimal, place: Account) -> tuple[Line, ...]:
    """The money stays with the customer."""
    with rounding.exactly():
        return _lines(
            (Account.BAD_DEBT_OR_REFUND, amount),
            (Account.DISPUTE_FEES, fee),
            (Account.DISPUTES_RECEIVABLE, -amount),
            (place, -fee),
        )


def _lines(*debits: tuple[Account, Decimal]) -> tuple[Line, ...]:
    """Each account on the side that it comes to; none where it comes to 0."""
    return tuple(_line(account, debit) for account, debit in _moved(debits))


def _moved(debits: Iterable[tuple[Account, Decimal]]) -> Iterable[tuple[Account, Decimal]]:
    return ((account, debit) for account, debit in debits if debit != 0)


def _line(account: Account, debit: Decimal) -> Line:
    return Line(account, debit=max(debit, NOTHING), credit=max(-debit, NOTHING))
