"""Amounts: ISO 4217 exponents, half-up away from zero, and plain text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.665", "EUR", "2.67"),
        ("2.664999999999999999", "EUR", "2.66"),
        ("-2.665", "EUR", "-2.67"),
        ("0.005", "USD", "0.01"),
        ("-0.004", "USD", "0.00"),
        ("1234.5", "JPY", "1235"),
        ("1.0005", "KWD", "1.001"),
        ("1.00005", "CLF", "1.0001"),
        ("999999999999999.995", "EUR", "1000000000000000.00"),
    ],
)
def test_amounts_round_half_up_to_the_minor_unit(amount: str, currency: str, rounded: str) -> None:
    assert money.round_amount(Decimal(amount), currency=currency) == Decimal(rounded)


@pytest.mark.parametrize(
    ("text", "currency", "shown"),
    [("12.5", "EUR", "12.50"), ("12.5", "JPY", "13"), ("0", "KWD", "0.000"), ("1E+3", "USD", "1000.00")],
)
def test_amounts_are_written_with_all_their_decimals(text: str, currency: str, shown: str) -> None:
    assert money.amount_text(Decimal(text), currency=currency) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1E+3", "1000"),
        ("2.50", "2.5"),
        ("0.000", "0"),
        ("-0.0", "0"),
        ("-1.10", "-1.1"),
        ("1E-18", "0.000000000000000001"),
    ],
)
def test_numbers_are_written_plainly(number: str, shown: str) -> None:
    assert money.plain(Decimal(number)) == shown


@pytest.mark.parametrize("text", ["0", "12", "-0.25", "1" * 21, "0." + "1" * 18])
def test_plain_decimals_are_read(text: str) -> None:
    assert money.parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "+1", ".5", "1.", "01", "1e3", "1_000", "1,5", "0x1", "1\n"),
        *("NaN", "Infinity", "-Infinity", "\u0663", "\uff11"),  # Arabic and full-width digits are digits to Decimal
        *("1" * 22, "0." + "1" * 19, None, 1, 1.0, True),
    ],
)
def test_what_decimal_is_lenient_about_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a plain decimal"):
        money.parse_decimal(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**15), max_value=10**15))
def test_what_is_written_plainly_is_read_back(number: Decimal) -> None:
    assert money.parse_decimal(money.plain(number)) == number
