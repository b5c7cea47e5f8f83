"""What a fee program will have cost by the end of a period, from what was sent so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.fee_terms import FeeTerms
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.proration import EXACT_DECIMALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """A fee so far, and at the end of the period; accounts are those with something sent, and those expected."""

    so_far: Decimal
    at_end: Decimal
    active_accounts: int
    expected_accounts: int


def project_fee(
    *,
    batches: Sequence[tuple[FeeTerms, Sequence[Transaction]]],
    currency: str,
    earlier_accounts: Mapping[str, str],
    elapsed: int,
    whole: int,
) -> Projected:
    """Transactions go on as they came; accounts of the period before are expected again, each with its country.

    Each batch is priced by its own terms; the last are those in force now. `elapsed` of `whole` is over, in any unit.
    What is charged per account does not grow with time but with accounts, so it is projected by who they are: those of
    this period and, while it runs, those of the one before.
    """
    active: dict[str, str] = {}
    so_far = for_accounts = Decimal(0)
    with rounding.exactly():
        for terms, transactions in batches:
            steps = fees.price_transactions(terms=terms, currency=currency, transactions=transactions)
            so_far += sum((step.amount for step in steps), Decimal(0))
            accounts = fees.active_accounts(transactions, terms=terms)
            for_accounts += _account_fees(accounts, terms=terms, currency=currency)
            active |= accounts
        missing = (
            {} if elapsed >= whole else {each: earlier_accounts[each] for each in earlier_accounts.keys() - active}
        )
        expected = for_accounts + _account_fees(missing, terms=batches[-1][0], currency=currency)
        running = rounding.share_of(so_far - for_accounts, part=whole, whole=elapsed, scale=EXACT_DECIMALS)
    return Projected(
        so_far=money.round_amount(so_far, currency=currency),
        at_end=money.round_amount(running + expected, currency=currency),
        active_accounts=len(active),
        expected_accounts=len(active) + len(missing),
    )


def _account_fees(countries: Mapping[str, str], *, terms: FeeTerms, currency: str) -> Decimal:
    if not terms.counts_accounts:
        return Decimal(0)
    tables = (fee_terms.find_table(terms, currency=currency, country=country) for country in countries.values())
    return sum((table.per_account for table in tables), Decimal(0))
