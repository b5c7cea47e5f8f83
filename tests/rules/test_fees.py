"""Fee programs: every figure is worked out by hand from the tables written here."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTableMissingError, FeeTerms, Surcharge
from invoicing.rating import rules
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction

CONNECT = FeeTable(currency="USD", rate_percent=Decimal("0.25"), fixed=Decimal("0.25"), per_account=Decimal(2))
CARD = FeeTable(
    currency="USD",
    rate_percent=Decimal("2.9"),
    fixed=Decimal("0.30"),
    surcharges=(Surcharge("manual", Decimal("0.5")), Surcharge("international", Decimal("1.5"))),
)


def terms(*tables: FeeTable, **policies: Any) -> FeeTerms:
    return FeeTerms(tables=tables, **policies)


def sent(amount: str, account: str = "a", **more: Any) -> Transaction:
    return Transaction(amount=Decimal(amount), account=account, **more)


def fee(given_terms: FeeTerms, *transactions: Transaction, currency: str = "USD") -> Decimal:
    steps = fees.price_transactions(terms=given_terms, currency=currency, transactions=transactions)
    return money.round_amount(rules.add_up(steps).amount_exact, currency=currency)


def labels(given_terms: FeeTerms, *transactions: Transaction) -> list[tuple[str, Decimal, Decimal]]:
    steps = fees.price_transactions(terms=given_terms, currency="USD", transactions=transactions)
    return [(step.label, step.quantity, step.amount) for step in steps]


def test_connect_is_charged_on_accounts_and_on_the_total_of_payouts() -> None:
    # 2 accounts x 2.00; 0.25% of 1500.00 = 3.75; 3 x 0.25
    payouts = (sent("1000.00"), sent("400.00"), sent("100.00", "b"))
    assert labels(terms(CONNECT), *payouts) == [
        ("Active accounts", Decimal(2), Decimal("4.00")),
        ("0.25% of the volume", Decimal("1500.00"), Decimal("3.75")),
        ("Fixed part, per transaction", Decimal(3), Decimal("0.75")),
    ]
    assert fee(terms(CONNECT), *payouts) == Decimal("8.50")


def test_the_month_is_rounded_once_where_the_terms_say_so() -> None:
    payouts = [sent("1.00", str(number)) for number in range(3)]
    assert fee(terms(CONNECT, rounding_level="month_total"), *payouts) == Decimal("6.76")


def test_each_fee_is_rounded_where_the_terms_say_so_and_a_step_says_by_how_much() -> None:
    payouts = [sent("1.00", str(number)) for number in range(3)]
    by_payout = terms(CONNECT, rounding_level="per_payout")
    assert fee(by_payout, *payouts) == Decimal("6.75")
    assert labels(by_payout, *payouts)[-1] == ("Each fee rounded by itself", Decimal(3), Decimal("-0.0075"))


def test_alike_transactions_cost_the_same_together_or_apart() -> None:
    by_payout = terms(CONNECT, rounding_level="per_payout")
    assert fee(by_payout, sent("333.33", count=3)) == fee(by_payout, *[sent("333.33")] * 3) == Decimal("5.24")


def test_surcharges_join_the_rate_before_anything_is_rounded() -> None:
    # (2.9 + 0.5 + 1.5)% of 100.00 + 0.30
    payment = sent("100.00", flags=frozenset({"manual", "international"}))
    assert labels(terms(CARD), payment) == [
        ("2.9% + 0.5% manual + 1.5% international = 4.9% of the volume", Decimal("100.00"), Decimal("4.9")),
        ("Fixed part, per transaction", Decimal(1), Decimal("0.30")),
    ]


def test_a_flag_that_the_table_does_not_know_costs_nothing() -> None:
    assert fee(terms(CARD), sent("100.00", flags=frozenset({"tokenized"}))) == Decimal("3.20")


def test_a_cap_and_a_minimum_bound_each_transaction() -> None:
    ach = FeeTable(currency="USD", rate_percent=Decimal("0.8"), cap=Decimal(5), minimum=Decimal("0.01"))
    # 0.004 -> 0.01; 5.00 at 625.00; 80.00 -> 5.00
    assert labels(terms(ach), sent("0.50"), sent("625.00"), sent("10000.00")) == [
        ("0.8% of the volume", Decimal("10625.50"), Decimal("85.004")),
        ("Capped at 5", Decimal(1), Decimal(-75)),
        ("Raised to 0.01", Decimal(1), Decimal("0.006")),
    ]


def test_a_minimum_may_bound_the_percentage_alone() -> None:
    card_payout = FeeTable(
        currency="USD", rate_percent=Decimal("0.75"), fixed=Decimal("1.50"), percentage_minimum=Decimal("0.50")
    )
    assert fee(terms(card_payout), sent("20.00")) == Decimal("2.00")
    assert fee(terms(card_payout), sent("100.00")) == Decimal("2.25")


def test_a_country_has_its_own_table_and_all_others_the_general_one() -> None:
    europe = FeeTable(currency="USD", country="DE", rate_percent=Decimal(1))
    both = terms(CARD, europe)
    assert fee(both, sent("100.00", country="DE")) == Decimal("1.00")
    assert fee(both, sent("100.00", country="US")) == Decimal("3.20")
    assert fee(both, sent("100.00")) == Decimal("3.20")
    assert labels(both, sent("100.00", country="DE")) == [("1% of the volume (DE)", Decimal("100.00"), Decimal(1))]


def test_a_table_in_another_currency_is_never_used() -> None:
    canada = FeeTable(currency="CAD", country="CA", rate_percent=Decimal("0.25"), fixed=Decimal("0.25"))
    assert fee(terms(CARD, canada), sent("100.00", country="CA")) == Decimal("3.20")
    assert fee(terms(CARD, canada), sent("100.00", country="CA"), currency="CAD") == Decimal("0.50")
    with pytest.raises(FeeTableMissingError, match="no table in CAD for US"):
        fee(terms(CARD, canada), sent("100.00", country="US"), currency="CAD")


def test_a_failed_payout_costs_nothing_and_makes_active_only_by_policy() -> None:
    quiet = terms(CONNECT, failed_statuses=("failed",))
    strict = terms(CONNECT, failed_statuses=("failed",), failed_makes_active=True)
    failed = sent("100.00", status="failed")
    assert labels(quiet, failed) == [("Failed: not charged", Decimal(1), Decimal(0))]
    assert labels(strict, failed) == [
        ("Active accounts", Decimal(1), Decimal(2)),
        ("Failed: not charged", Decimal(1), Decimal(0)),
    ]


def test_a_payout_that_names_no_account_makes_none_active() -> None:
    assert fee(terms(CONNECT), sent("100.00", "")) == Decimal("0.50")


def test_an_account_paid_in_two_countries_is_active_once() -> None:
    canada = FeeTable(currency="USD", country="CA", per_account=Decimal(3))
    two = [sent("0", "a", country="US"), sent("0", "a", country="CA")]
    steps = fees.price_transactions(terms=terms(CONNECT, canada), currency="USD", transactions=two)
    assert [(step.label, step.amount) for step in steps if "accounts" in step.label] == [
        ("Active accounts (CA)", Decimal(3))
    ]


def test_a_refund_leaves_the_fee_unless_the_percentage_is_returned() -> None:
    paid, refunded = sent("100.00"), sent("-40.00")
    assert fee(terms(CARD), paid, refunded) == Decimal("3.20")
    assert fee(terms(CARD, refunds="percentage_returned"), paid, refunded) == Decimal("2.04")


def test_a_refund_makes_no_account_active() -> None:
    assert fee(terms(CONNECT), sent("-40.00")) == Decimal(0)


def test_half_cents_go_up() -> None:
    assert fee(terms(CARD), sent("5.00")) == Decimal("0.45")  # 0.445
    assert fee(terms(CARD), sent("25.00")) == Decimal("1.03")  # 1.025


def test_a_currency_without_decimals_rounds_to_whole_units() -> None:
    japan = FeeTable(currency="JPY", rate_percent=Decimal("3.6"))
    each = terms(japan, rounding_level="per_payout")
    # 3.6 -> 4 twice; 7.2 -> 7 on the total
    assert fee(each, sent("100"), sent("100"), currency="JPY") == Decimal(8)
    assert fee(terms(japan), sent("100"), sent("100"), currency="JPY") == Decimal(7)


def test_nothing_sent_costs_nothing() -> None:
    assert fees.price_transactions(terms=terms(CONNECT), currency="USD", transactions=[]) == ()


@pytest.mark.parametrize(
    ("net", "rate", "fixed", "gross"),
    [("100.00", "2.9", "0.30", "103.30"), ("1.00", "0", "0", "1.00"), ("0.01", "2.9", "0.30", "0.32")],
)
def test_grossing_up_leaves_the_net_after_the_fee(net: str, rate: str, fixed: str, gross: str) -> None:
    found = fees.gross_up(net=Decimal(net), rate_percent=Decimal(rate), fixed=Decimal(fixed), currency="USD")
    assert found == Decimal(gross)


def test_grossing_up_for_a_fee_of_everything_is_refused() -> None:
    with pytest.raises(fees.GrossUpError):
        fees.gross_up(net=Decimal(1), rate_percent=Decimal(100), fixed=Decimal(0), currency="USD")


CENTS = st.integers(min_value=-100_000, max_value=10_000_000)
TRANSACTIONS = st.lists(
    st.builds(
        lambda cents, account, status, flag: Transaction(
            amount=Decimal(cents).scaleb(-2), account=account, status=status, flags=frozenset({flag})
        ),
        CENTS,
        st.sampled_from("abc"),
        st.sampled_from(["paid", "failed"]),
        st.sampled_from(["manual", "international", ""]),
    ),
    max_size=20,
)
BOUNDED = FeeTable(
    currency="USD",
    rate_percent=Decimal("0.37"),
    fixed=Decimal("0.013"),
    per_account=Decimal(2),
    minimum=Decimal("0.05"),
    cap=Decimal(5),
    surcharges=CARD.surcharges,
)


@given(TRANSACTIONS, st.randoms(use_true_random=False), st.sampled_from(fee_terms.ROUNDING_LEVELS))
def test_the_order_of_transactions_never_matters(seen: list[Transaction], random: Any, level: str) -> None:
    shuffled = random.sample(seen, len(seen))
    bounded = terms(BOUNDED, rounding_level=level, failed_statuses=("failed",))
    assert labels(bounded, *seen) == labels(bounded, *shuffled)


@given(TRANSACTIONS)
def test_the_two_levels_of_rounding_differ_by_at_most_half_a_cent_per_fee(seen: list[Transaction]) -> None:
    once, each = (fee(terms(BOUNDED, rounding_level=level), *seen) for level in fee_terms.ROUNDING_LEVELS)
    assert abs(once - each) <= Decimal("0.005") * (len(seen) + 1)


@given(TRANSACTIONS)
def test_no_fee_leaves_its_bounds(seen: list[Transaction]) -> None:
    for one in seen:
        found = fee(terms(BOUNDED), Transaction(amount=one.amount, flags=one.flags))
        assert found == 0 if one.amount < 0 else Decimal("0.05") <= found <= Decimal(5)
