"""What a step of a payment means for the books: one balanced entry under a key of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from invoicing.ledger import balances, post
from invoicing.ledger.models import JournalEntry
from invoicing.ledger.rules import payments as booking
from invoicing.ledger.rules import recognition
from invoicing.ledger.rules.booking import Line
from invoicing.ledger.rules.chart import Account
from invoicing.payments import queries
from invoicing.payments.models import Payment
from invoicing.payments.rules.lifecycle import Step, words_of
from invoicing.payments.taken import Taken

NOTHING = Decimal(0)
SET_OFF = "set_off"


@dataclass(frozen=True, slots=True)
class Booked:
    """The entry of a step, and what of the money was more than was due."""

    entry: JournalEntry | None
    overpaid: Decimal


NOT_BOOKED = Booked(None, NOTHING)


def book_step(payment: Payment, taken: Taken, *, revision: int, at: datetime) -> Booked:
    """Post what the step moves; the row of the customer is locked, so that nothing else moves what they owe.

    What the customer then has in their favour pays what they owe, as an entry of its own.
    """
    lines, overpaid = _lines(payment, taken)
    entry = _post(payment, taken, name=str(taken.step), revision=revision, lines=lines, at=at)
    if taken.step in (Step.SETTLED, Step.REFUNDED):
        now = balances.customer_balances(customer_id=payment.invoice.customer_id, currency=payment.currency)
        both = recognition.book_set_off(receivable=now.receivable, balance=now.balance)
        _post(payment, taken, name=SET_OFF, revision=revision, lines=both, at=at)
    return Booked(entry, overpaid)


def _lines(payment: Payment, taken: Taken) -> tuple[Sequence[Line], Decimal]:
    place = Account.PROCESSOR_CLEARING if payment.gateway else Account.CASH
    amount, fee = taken.amount, taken.fee
    if taken.step == Step.FAILED:
        return (), NOTHING
    if taken.step == Step.DISPUTED:
        return booking.book_disputed(amount=amount, fee=fee, place=place), NOTHING
    if taken.step == Step.WON:
        return booking.book_won(amount=amount, fee=fee, place=place), NOTHING
    if taken.step == Step.LOST:
        return booking.book_lost(amount=amount, fee=fee, place=place), NOTHING
    now = balances.customer_balances(customer_id=payment.invoice.customer_id, currency=payment.currency)
    if taken.step == Step.REFUNDED:
        return booking.book_refunded(amount=amount, fee=fee, in_favour=now.balance, place=place), NOTHING
    owed = max(min(amount, queries.due_of(payment.invoice).due, now.receivable), NOTHING)
    return booking.book_settled(amount=amount, fee=fee, owed=owed, place=place), amount - owed


def _post(
    payment: Payment, taken: Taken, *, name: str, revision: int, lines: Sequence[Line], at: datetime
) -> JournalEntry | None:
    invoice = payment.invoice
    said = "set off" if name == SET_OFF else words_of(name)
    return post.post_entry(
        key=f"payment:{payment.pk}:{revision}:{name}",
        memo=f"Payment of {invoice.number}: {said}",
        customer_id=invoice.customer_id,
        currency=payment.currency,
        booked_on=taken.happened_at.astimezone(ZoneInfo(invoice.seller.time_zone)).date(),
        lines=lines,
        at=at,
    )
