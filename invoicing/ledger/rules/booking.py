"""From a document to the lines of its journal entry: debits equal credits, and tax is never revenue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core import rounding
from invoicing.ledger.rules.chart import Account


class Earned(StrEnum):
    """What an amount on an invoice was earned by."""

    USAGE = "usage"
    FEE = "fee"
    FEE_IN_ADVANCE = "fee_in_advance"
    COMMITMENT = "commitment"
    CHARGE = "charge"
    ALLOWANCE = "allowance"
    ROUNDING = "rounding"


EARNED_ON: Mapping[Earned, Account] = {
    Earned.USAGE: Account.REVENUE_USAGE,
    Earned.FEE: Account.REVENUE_SUBSCRIPTION,
    Earned.FEE_IN_ADVANCE: Account.DEFERRED_REVENUE,  # earned when its time has passed
    Earned.COMMITMENT: Account.REVENUE_COMMITMENT_SHORTFALL,
    Earned.CHARGE: Account.REVENUE_CHARGES,
    Earned.ALLOWANCE: Account.SALES_ALLOWANCES,
    Earned.ROUNDING: Account.ROUNDING_DIFFERENCES,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry; either `debit` or `credit` is above 0, the other is 0."""

    account: Account
    debit: Decimal
    credit: Decimal


def book_invoice(*, earned: Iterable[tuple[Earned, Decimal]], tax: Decimal) -> tuple[Line, ...]:
    """The entry of an invoice that becomes final; none where every account would come to 0.

    The customer owes the total, rounded as agreed. Where corrections outweigh the period it is below 0: then the
    customer has a balance that later invoices are set off against. An account that comes out below 0 stands on its
    other side.
    """
    with rounding.exactly():
        credited: dict[Account, Decimal] = {}
        for kind, amount in earned:
            account = EARNED_ON[kind]
            credited[account] = credited.get(account, Decimal(0)) + amount
        credited[Account.TAX_PAYABLE] = tax
        total = sum(credited.values(), Decimal(0))
    owed = Account.ACCOUNTS_RECEIVABLE if total >= 0 else Account.CUSTOMER_BALANCE
    lines = [_line(owed, credit=-total), *(_line(account, credit=amount) for account, amount in credited.items())]
    return tuple(line for line in lines if line is not None)


def _line(account: Account, *, credit: Decimal) -> Line | None:
    if credit == 0:
        return None
    return Line(account, debit=max(-credit, Decimal(0)), credit=max(credit, Decimal(0)))


def imbalance(lines: Iterable[Line]) -> Decimal:
    """Debits less credits; 0 for every entry that may be posted."""
    with rounding.exactly():
        return sum((line.debit - line.credit for line in lines), Decimal(0))
