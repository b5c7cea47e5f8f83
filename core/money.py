"""Currencies and amounts: ISO 4217 exponents, rounding to them, and how people read them."""

import re
from decimal import Decimal

from core import rounding

# ISO 4217 minor units that are not 2 (list one, 2026-01-01).
EXPONENTS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"], 0),
    **dict.fromkeys(["RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
AMOUNT_MAX = Decimal("1e15")
_STRICT_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,18})?")


def currency_exponent(currency: str) -> int:
    """Decimals of the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD."""
    return EXPONENTS.get(currency, 2)


def round_amount(amount: Decimal, *, currency: str) -> Decimal:
    """Round half up (away from zero), once, to the currency's exponent."""
    return rounding.round_to_scale(amount, scale=currency_exponent(currency))


def parse_decimal(text: object) -> Decimal:
    """Read a plain ASCII decimal of at most 21 + 18 digits; ValueError for all that `Decimal` is lenient about."""
    if not isinstance(text, str) or not _STRICT_DECIMAL.fullmatch(text):
        raise ValueError(f"{str(text)[:40]!r} is not a plain decimal such as 12 or -0.25")
    return Decimal(text)


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros: 1E+3 → 1000, 2.50 → 2.5."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def amount_text(amount: Decimal, *, currency: str) -> str:
    """Write an amount with exactly the currency's decimals: 12.5 EUR → 12.50."""
    return format(round_amount(amount, currency=currency), "f")
