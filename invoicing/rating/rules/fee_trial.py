"""A fee program tried on one transaction: what it charges, and what to ask for to be left with an amount."""

from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTerms
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The amount, its fee with the steps that make it, and what is left."""

    amount: Decimal
    fee: Decimal
    steps: tuple[Step, ...]

    @property
    def left(self) -> Decimal:
        return self.amount - self.fee


def try_fee(
    *, terms: FeeTerms, currency: str, country: str, amount: Decimal, flags: frozenset[str], is_net: bool = False
) -> Trial:
    """One transaction of one account; with `is_net` the amount is what is to be left after the fee."""
    if is_net:
        table = fee_terms.find_table(terms, currency=currency, country=country)
        amount = _gross_of(amount, table=table, flags=flags)
    one = Transaction(amount=amount, account="one account", country=country, flags=flags)
    steps = fees.price_transactions(terms=terms, currency=currency, transactions=[one])
    with rounding.exactly():
        exact = sum((step.amount for step in steps), Decimal(0))
    return Trial(amount=amount, fee=money.round_amount(exact, currency=currency), steps=steps)


def _gross_of(net: Decimal, *, table: FeeTable, flags: frozenset[str]) -> Decimal:
    if table.per_account or (table.percentage_minimum, table.minimum, table.cap) != (None, None, None):
        detail = "What to ask for is worked out only where a fee is a percentage and a fixed part, without bounds."
        raise fees.GrossUpError(detail, pointer="/amount")
    chosen = [each for each in table.surcharges if each.code in flags]
    return fees.gross_up(
        net=net,
        rate_percent=table.rate_percent + sum((each.rate_percent for each in chosen), Decimal(0)),
        fixed=table.fixed + sum((each.fixed for each in chosen), Decimal(0)),
        currency=table.currency,
    )
