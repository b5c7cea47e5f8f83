"""From a document to its journal entry, with figures a bookkeeper can check."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.ledger.rules import booking
from invoicing.ledger.rules.booking import Earned, Line
from invoicing.ledger.rules.chart import KINDS, Account, is_debit_side, title_of

D = Decimal
AMOUNTS = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2)


def test_a_month_of_fee_and_usage_with_tax() -> None:
    earned = [(Earned.FEE, D("49.00")), (Earned.USAGE, D("3.00")), (Earned.USAGE, D("1.50"))]
    assert booking.book_invoice(earned=earned, tax=D("10.17")) == (
        Line(Account.ACCOUNTS_RECEIVABLE, D("63.67"), D(0)),
        Line(Account.REVENUE_SUBSCRIPTION, D(0), D("49.00")),
        Line(Account.REVENUE_USAGE, D(0), D("4.50")),
        Line(Account.TAX_PAYABLE, D(0), D("10.17")),
    )


def test_discounts_charges_and_rounding_stand_on_accounts_of_their_own() -> None:
    earned = [
        (Earned.FEE, D("100.00")),
        (Earned.ALLOWANCE, D("-10.00")),
        (Earned.CHARGE, D("5.00")),
        (Earned.ROUNDING, D("-0.05")),
    ]
    assert booking.book_invoice(earned=earned, tax=D("18.05")) == (
        Line(Account.ACCOUNTS_RECEIVABLE, D("113.00"), D(0)),
        Line(Account.REVENUE_SUBSCRIPTION, D(0), D("100.00")),
        Line(Account.SALES_ALLOWANCES, D("10.00"), D(0)),
        Line(Account.REVENUE_CHARGES, D(0), D("5.00")),
        Line(Account.ROUNDING_DIFFERENCES, D("0.05"), D(0)),
        Line(Account.TAX_PAYABLE, D(0), D("18.05")),
    )


def test_corrections_that_outweigh_the_period_give_the_customer_a_balance() -> None:
    earned = [(Earned.USAGE, D("-30.00")), (Earned.FEE, D("10.00"))]
    assert booking.book_invoice(earned=earned, tax=D("-3.80")) == (
        Line(Account.CUSTOMER_BALANCE, D(0), D("23.80")),
        Line(Account.REVENUE_USAGE, D("30.00"), D(0)),
        Line(Account.REVENUE_SUBSCRIPTION, D(0), D("10.00")),
        Line(Account.TAX_PAYABLE, D("3.80"), D(0)),
    )


def test_what_cancels_out_within_an_invoice_is_still_booked_on_its_accounts() -> None:
    earned = [(Earned.USAGE, D("-49.00")), (Earned.FEE, D("49.00"))]
    assert booking.book_invoice(earned=earned, tax=D(0)) == (
        Line(Account.REVENUE_USAGE, D("49.00"), D(0)),
        Line(Account.REVENUE_SUBSCRIPTION, D(0), D("49.00")),
    )


@pytest.mark.parametrize("earned", [[], [(Earned.USAGE, D(0))], [(Earned.FEE, D("2.00")), (Earned.FEE, D("-2.00"))]])
def test_an_invoice_over_nothing_has_no_entry(earned: list[tuple[Earned, Decimal]]) -> None:
    assert booking.book_invoice(earned=earned, tax=D(0)) == ()


@given(st.lists(st.tuples(st.sampled_from(list(Earned)), AMOUNTS), max_size=8), AMOUNTS)
def test_every_entry_balances_and_has_one_side_per_account(earned: list[tuple[Earned, Decimal]], tax: Decimal) -> None:
    lines = booking.book_invoice(earned=earned, tax=tax)
    assert booking.imbalance(lines) == 0
    assert len({line.account for line in lines}) == len(lines)
    assert all((line.debit > 0) != (line.credit > 0) for line in lines)


def test_every_account_says_what_it_is() -> None:
    assert KINDS.keys() == set(Account)
    assert (is_debit_side("accounts_receivable"), is_debit_side("tax_payable")) == (True, False)
    assert title_of("accounts_receivable") == "Accounts receivable"
