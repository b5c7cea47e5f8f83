"""What was paid in advance is earned as its time passes: straight-line by the second, exact to the cent in sum."""

from datetime import datetime, timedelta
from decimal import Decimal

from core import money, rounding
from core.periods import Period
from invoicing.ledger.rules.booking import Line
from invoicing.ledger.rules.chart import Account

NOTHING = Decimal(0)
TICK = timedelta(microseconds=1)


def earned_by(amount: Decimal, *, time: Period, until: datetime, currency: str) -> Decimal:
    """The part of an amount that is earned by an instant, rounded half up; all of it from the end of its time on.

    Parts are differences of these sums, so that they add up to the amount whatever the instants (IFRS 15.39 to 41:
    a promise kept evenly over time).
    """
    if until >= time.end:
        return amount
    if until <= time.start:
        return NOTHING
    passed, whole = Decimal((until - time.start) // TICK), Decimal((time.end - time.start) // TICK)
    share = rounding.PRECISION.divide(rounding.PRECISION.multiply(amount, passed), whole)
    return money.round_amount(share, currency=currency)


def book_earned(amount: Decimal) -> tuple[Line, ...]:
    """From what is owed in service to revenue; the other way round where more was earned than was due after all."""
    if amount == 0:
        return ()
    gained, owed = (Account.REVENUE_SUBSCRIPTION, Account.DEFERRED_REVENUE)
    debit, credit = (owed, gained) if amount > 0 else (gained, owed)
    return Line(debit, debit=abs(amount), credit=NOTHING), Line(credit, debit=NOTHING, credit=abs(amount))


def book_set_off(*, receivable: Decimal, balance: Decimal) -> tuple[Line, ...]:
    """What a customer has in their favour pays what they owe, as far as both go."""
    amount = min(receivable, balance)
    if amount <= 0:
        return ()
    return (
        Line(Account.CUSTOMER_BALANCE, debit=amount, credit=NOTHING),
        Line(Account.ACCOUNTS_RECEIVABLE, debit=NOTHING, credit=amount),
    )
