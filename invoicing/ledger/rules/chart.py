"""The accounts that this product books on; which number they have in the general ledger is data."""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What an account is in the books; assets and expenses grow on the debit side, the others on the credit side."""

    ASSET = "asset"
    LIABILITY = "liability"
    REVENUE = "revenue"
    EXPENSE = "expense"


class Account(StrEnum):
    ACCOUNTS_RECEIVABLE = "accounts_receivable"
    CUSTOMER_BALANCE = "customer_balance_liability"
    TAX_PAYABLE = "tax_payable"
    DEFERRED_REVENUE = "deferred_revenue"
    REVENUE_USAGE = "revenue_usage"
    REVENUE_SUBSCRIPTION = "revenue_subscription"
    REVENUE_COMMITMENT_SHORTFALL = "revenue_commitment_shortfall"
    REVENUE_CHARGES = "revenue_charges"
    SALES_ALLOWANCES = "sales_allowances"
    ROUNDING_DIFFERENCES = "rounding_differences"
    CASH = "cash"
    PROCESSOR_CLEARING = "processor_clearing"
    DISPUTES_RECEIVABLE = "disputes_receivable"
    PAYMENT_FEES = "payment_fees"
    DISPUTE_FEES = "dispute_fees"
    BAD_DEBT_OR_REFUND = "bad_debt_or_refund"


KINDS: Mapping[Account, Kind] = {
    Account.ACCOUNTS_RECEIVABLE: Kind.ASSET,
    Account.CUSTOMER_BALANCE: Kind.LIABILITY,
    Account.TAX_PAYABLE: Kind.LIABILITY,
    Account.DEFERRED_REVENUE: Kind.LIABILITY,
    Account.REVENUE_USAGE: Kind.REVENUE,
    Account.REVENUE_SUBSCRIPTION: Kind.REVENUE,
    Account.REVENUE_COMMITMENT_SHORTFALL: Kind.REVENUE,
    Account.REVENUE_CHARGES: Kind.REVENUE,
    Account.SALES_ALLOWANCES: Kind.REVENUE,  # discounts on whole invoices: less revenue, so usually on the debit side
    Account.ROUNDING_DIFFERENCES: Kind.REVENUE,
    Account.CASH: Kind.ASSET,
    Account.PROCESSOR_CLEARING: Kind.ASSET,  # what a gateway took in for us, until it pays it out
    Account.DISPUTES_RECEIVABLE: Kind.ASSET,
    Account.PAYMENT_FEES: Kind.EXPENSE,
    Account.DISPUTE_FEES: Kind.EXPENSE,
    Account.BAD_DEBT_OR_REFUND: Kind.EXPENSE,
}
GROWS_ON_DEBIT = frozenset({Kind.ASSET, Kind.EXPENSE})


def title_of(account: str) -> str:
    """The account as a person reads it: Accounts receivable."""
    return account.replace("_", " ").capitalize()


def is_debit_side(account: str) -> bool:
    """Whether its balance is shown as debit less credit."""
    return KINDS[Account(account)] in GROWS_ON_DEBIT
