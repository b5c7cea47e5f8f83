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
        (
            "flat",
            {"amount": "29", "billed": "in_advance", "discount_percent": "10"},
            "EUR",
            ["29.00 EUR per period, billed in advance", "10 % off"],
        ),
        (
            "standard",
            {"unit_amount": "0.12", "filters": [{"cloud": "aws", "region": "eu", "unit_amount": "0.08"}]},
            "EUR",
            ["cloud aws, region eu: 0.08 EUR per token", "all others: 0.12 EUR per token"],
        ),
        (
            "graduated_package",
            {
                "tiers": [
                    {"up_to": "1000", "package_size": "100", "package_amount": "1"},
                    {"up_to": None, "package_size": "500", "package_amount": "4"},
                ]
            },
            "EUR",
            ["0 to 1000: 1.00 EUR per 100 token", "above 1000: 4.00 EUR per 500 token"],
        ),
        (
            "volume_package",
            {"tiers": [{"up_to": None, "package_size": "500", "package_amount": "4", "flat_amount": "1"}]},
            "EUR",
            ["above 0: 4.00 EUR per 500 token plus 1.00 EUR"],
        ),
        ("percentage", {"rate_percent": "2.9"}, "EUR", ["2.9 %"]),
        (
            "percentage",
            {
                "rate_percent": "2.9",
                "fixed_amount_per_event": "0.3",
                "free_events": 3,
                "free_total_amount": "50",
                "per_transaction_min": "1",
                "per_transaction_max": "12",
            },
            "USD",
            [
                "2.9 % and 0.30 USD per event",
                "the first 3 events or 50.00 USD free, whichever ends first",
                "at least 1.00 USD per event",
                "at most 12.00 USD per event",
            ],
        ),
        (
            "graduated_percentage",
            {"tiers": [{"up_to": "10", "rate_percent": "2", "flat_amount": "1"}, {"up_to": None, "rate_percent": "1"}]},
            "EUR",
            ["0 to 10: 2 % plus 1.00 EUR", "above 10: 1 %"],
        ),
        ("dynamic", {"multiplier": "1"}, "EUR", ["what the meter measures"]),
        (
            "dynamic",
            {"price_from": "event amount in minor units", "multiplier": "1.2"},
            "EUR",
            ["the event amount in minor units × 1.2, in EUR"],
        ),
        (
            "bucketed",
            {
                "inner": "standard",
                "unit_amount": "1",
                "bucket": "hour",
                "included_quantity": "5",
                "maximum_amount": "9",
            },
            "EUR",
            ["each hour by itself:", "1.00 EUR per token", "5 token included", "at most 9.00 EUR per period"],
        ),
        (
            "dimensional",
            {
                "inner": "percentage",
                "prices": [{"match": {"card": "foreign"}, "params": {"rate_percent": "4", "minimum_amount": "1"}}],
                "default": {"rate_percent": "3"},
            },
            "EUR",
            ["card foreign: 4 %; at least 1.00 EUR per period", "all others: 3 %"],
        ),
        (
            "commitment",
            {"minimum_amount": "10", "maximum_amount": "20", "partial_period": "whole"},
            "EUR",
            ["at least 10.00 EUR per period", "at most 20.00 EUR per period", "the same for a part of a period"],
        ),
        ("plan_discount", {"discount_percent": "10"}, "EUR", ["10 % off the whole plan"]),
        (
            "plan_discount",
            {"discount_percent": "10", "applies_to": ["calls", "seats"]},
            "EUR",
            ["10 % off calls, seats"],
        ),
        (
            "prepaid_credits",
            {"opening_balance": "50", "credit_rate": "0.5", "credits_apply_to": ["calls"]},
            "EUR",
            ["50 credits per period, each worth 0.50 EUR, for calls"],
        ),
        (
            "standard",
            {
                "unit_amount": "2",
                "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": "ceiling"},
                "unit_rounding": {"function": "round", "precision": -1},
                "usage_discount": "3",
                "committed_quantity": "4",
                "overage_factor": "2",
                "true_up": False,
            },
            "EUR",
            [
                "2.00 EUR per token",
                "measured units ÷ 1000, rounded up to whole units",
                "units rounded to 10",
                "3 token off",
                "4 token committed, no more than used is paid, usage beyond × 2",
            ],
        ),
    ],
)
def test_every_model_has_its_words(model: str, given: Any, currency: str, expected: list[str]) -> None:
    parsed = params.parse_params(model=model, params=given)
    assert words.price_in_words(parsed, currency=currency, unit="token") == expected


def test_a_commitment_in_money_is_said_as_money() -> None:
    parsed = params.parse_params(model="standard", params={"unit_amount": "2", "committed_amount": "10"})
    assert words.price_in_words(parsed, currency="EUR", unit="token")[1] == "10.00 EUR committed, paid in any case"


def test_a_long_table_is_cut_short() -> None:
    tiers = [*({"up_to": str(end), "unit_amount": "1"} for end in range(1, 20)), {"up_to": None, "unit_amount": "1"}]
    parsed = params.parse_params(model="volume", params={"tiers": tiers})
    lines = words.price_in_words(parsed, currency="EUR", unit="token")
    assert len(lines) == 13
    assert lines[-1] == "and 8 more tiers"
