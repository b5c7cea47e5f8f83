"""Amounts are exact until one named rounding, and only plain decimals are read."""

from decimal import Decimal, Inexact

import pytest

from core import money, rounding


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("2.665", "EUR", "2.67"),  # PostgreSQL rounds so; Python's default would give 2.66
        ("-2.665", "EUR", "-2.67"),
        ("0.004999999999999999999999999999", "USD", "0.00"),
        ("1000.5", "JPY", "1001"),
        ("3.0015", "KWD", "3.002"),
        ("1.00005", "CLF", "1.0001"),
    ],
)
def test_an_amount_is_rounded_half_up_to_its_currency(amount: str, currency: str, expected: str) -> None:
    assert money.amount_text(Decimal(amount), currency=currency) == expected


@pytest.mark.parametrize("text", ["0", "12", "-0.25", "123456789012345678901.123456789012345678"])
def test_plain_decimals_are_read(text: str) -> None:
    assert money.parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    ["", " 5 ", "5 ", "1_000", "٣", "NaN", "nan", "Infinity", "-inf", "1e3", "+1", "01", ".5", "5.", "1,5", "0x1", None,
     5, 1.5, "1" * 22, "0." + "1" * 19],
)  # fmt: skip
def test_what_decimal_would_be_lenient_about_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        money.parse_decimal(text)


@pytest.mark.parametrize(
    ("number", "expected"), [("1E+3", "1000"), ("2.50", "2.5"), ("-0.00", "0"), ("0E-18", "0"), ("100", "100")]
)
def test_numbers_are_written_plainly(number: str, expected: str) -> None:
    assert money.plain(Decimal(number)) == expected


def test_exact_arithmetic_refuses_to_round_in_silence() -> None:
    with rounding.exactly():
        assert Decimal("1e15") * Decimal("0.000000000001") == Decimal(1000)
        with pytest.raises(Inexact):
            Decimal(1) / Decimal(3)


def test_exact_arithmetic_refuses_floats() -> None:
    tenth = 0.1
    with rounding.exactly(), pytest.raises(ArithmeticError):
        Decimal(tenth)


def test_shares_of_an_amount_lose_nothing_that_a_cent_could_show() -> None:
    parts = [rounding.share_of(Decimal("10.00"), part=part, whole=31, scale=30) for part in (14, 17)]
    assert parts == [Decimal("4.516129032258064516129032258065"), Decimal("5.483870967741935483870967741935")]
    assert rounding.share_of(Decimal("0.01"), part=7, whole=7, scale=30) == Decimal("0.01")
