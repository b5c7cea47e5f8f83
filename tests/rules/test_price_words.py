"""A price reads as a sentence."""

from typing import Any

import pytest

from invoicing.pricing.rules import params, words


@pytest.mark.parametrize(
    ("model", "given", "currency", "expected"),
    [
        ("flat", {"amount": "29"}, "EUR", ["29.00 EUR per period"]),
        ("standard", {"unit_amount": "0.002"}, "EUR", ["0.002 EUR per token"]),
        ("standard", {"unit_amount": "3"}, "JPY", ["3 JPY per token"]),
        (
            "package",
            {"package_amount": "5", "package_size": "1000", "free_units": "100"},
            "USD",
            ["5.00 USD per 1000 token, the first 100 free"],
        ),
        (
            "graduated",
            {"tiers": [{"up_to": "10", "unit_amount": "2", "flat_amount": "1"}, {"up_to": None, "unit_amount": "1.5"}]},
            "EUR",
            ["0 to 10: 2.00 EUR per token plus 1.00 EUR", "above 10: 1.50 EUR per token"],
        ),
        ("volume", {"tiers": [{"up_to": None, "unit_amount": "1"}]}, "EUR", ["above 0: 1.00 EUR per token"]),
    ],
)
def test_every_model_has_its_words(model: str, given: Any, currency: str, expected: list[str]) -> None:
    parsed = params.parse_params(model=model, params=given)
    assert words.price_in_words(parsed, currency=currency, unit="token") == expected


def test_a_long_table_is_cut_short() -> None:
    tiers = [*({"up_to": str(end), "unit_amount": "1"} for end in range(1, 20)), {"up_to": None, "unit_amount": "1"}]
    parsed = params.parse_params(model="volume", params={"tiers": tiers})
    lines = words.price_in_words(parsed, currency="EUR", unit="token")
    assert len(lines) == 13
    assert lines[-1] == "and 8 more tiers"
