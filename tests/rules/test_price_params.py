"""Price parameters are read strictly: a problem is named where it is, and nothing is guessed."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.pricing.rules import params
from invoicing.pricing.rules.params import PackageParams, ParamsError, StandardParams, Tier, TieredParams

OPEN = {"up_to": None, "unit_amount": "1"}


def problems(model: str, given: Any, *, stored: bool = False) -> list[tuple[str, str]]:
    parse = params.parse_stored_params if stored else params.parse_params
    with pytest.raises(ParamsError) as refusal:
        parse(model=model, params=given)
    return [(each["pointer"], each["code"]) for each in refusal.value.problems()]


def test_every_field_of_a_tier_is_read() -> None:
    given = {
        "tiers": [{"up_to": "0.1", "unit_amount": "2", "flat_amount": "3"}, OPEN],
        "zero_usage_policy": "no_charge",
    }
    assert params.parse_params(model="graduated", params=given) == TieredParams(
        (Tier(Decimal("0.1"), Decimal(2), Decimal(3)), Tier(None, Decimal(1), Decimal(0))), "no_charge"
    )


def test_a_package_has_no_free_units_and_rounds_up_unless_it_says_so() -> None:
    given = {"package_amount": "5", "package_size": "100"}
    parsed = params.parse_params(model="package", params=given)
    assert parsed == PackageParams(Decimal(5), Decimal(100), Decimal(0), "up")


@pytest.mark.parametrize("value", [Decimal("0.002"), "0.002"])
def test_numbers_may_come_as_text_or_as_json_read_exactly(value: Any) -> None:
    assert params.parse_params(model="standard", params={"unit_amount": value}) == StandardParams(Decimal("0.002"))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("nan", "number"),
        ("Infinity", "number"),
        ("1_000", "number"),
        (" 5 ", "number"),
        ("٣", "number"),
        ("1e3", "number"),
        ("", "number"),
        (1.5, "number"),
        (True, "number"),
        ([], "number"),
        ({"amount": "1"}, "number"),
        (10**30, "number"),
        (Decimal("1e400"), "number"),
        (Decimal("NaN"), "number"),
        ("0.00000000000000001", "number"),  # 17 decimals
        ("-1", "out_of_range"),
        ("1000000000001", "out_of_range"),
        (None, "required"),
    ],
)
def test_what_is_not_a_price_is_refused(value: Any, code: str) -> None:
    assert problems("standard", {"unit_amount": value}) == [("/params/unit_amount", code)]


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("standard", None, [("/params", "type"), ("/params/unit_amount", "required")]),
        ("standard", {"unit_amount": "1", "price": "2"}, [("/params/price", "unknown_field")]),
        ("graduated", {}, [("/params/tiers", "required")]),
        ("graduated", {"tiers": {}}, [("/params/tiers", "type")]),
        ("graduated", {"tiers": []}, [("/params/tiers", "length")]),
        ("volume", {"tiers": [OPEN] * 1001}, [("/params/tiers", "length")]),
        ("graduated", {"tiers": [7]}, [("/params/tiers/0", "type"), ("/params/tiers/0/up_to", "required"),
                                       ("/params/tiers/0/unit_amount", "required")]),
        ("graduated", {"tiers": [{"unit_amount": "1"}]}, [("/params/tiers/0/up_to", "required")]),
        ("graduated", {"tiers": [{"up_to": "0", "unit_amount": "1"}, OPEN]},
         [("/params/tiers/0/up_to", "out_of_range")]),
        ("volume", {"tiers": [{"up_to": "5", "unit_amount": "-1"}, OPEN]},
         [("/params/tiers/0/unit_amount", "out_of_range")]),
        ("graduated", {"tiers": [{"up_to": "5", "unit_amount": "1"}, {"up_to": "5", "unit_amount": "1"}, OPEN]},
         [("/params/tiers/1/up_to", "order")]),
        ("graduated", {"tiers": [{"up_to": "5", "unit_amount": "1"}, {"up_to": "3", "unit_amount": "1"}, OPEN]},
         [("/params/tiers/1/up_to", "order")]),
        ("graduated", {"tiers": [OPEN, {"up_to": "3", "unit_amount": "1"}]}, [("/params/tiers/0/up_to", "open_end")]),
        ("graduated", {"tiers": [{"from": "6", **OPEN}]}, [("/params/tiers/0/from", "unknown_field")]),
        ("volume", {"tiers": [OPEN], "zero_usage_policy": "maybe"}, [("/params/zero_usage_policy", "choice")]),
        ("package", {"package_amount": "1", "package_size": "0"}, [("/params/package_size", "out_of_range")]),
        ("package", {"package_amount": "1", "package_size": "1", "free_units": "-1"},
         [("/params/free_units", "out_of_range")]),
        ("standard", {"unit_amount": "1", "filters": [{"unit_amount": "2"}]}, [("/params/filters/0", "required")]),
        ("standard", {"unit_amount": "1", "filters": [{"a/b": 5, "unit_amount": "2"}]},
         [("/params/filters/0/a~1b", "type")]),
        ("barter", {}, [("/model", "choice")]),
    ],
)  # fmt: skip
def test_every_problem_is_named_where_it_is(model: str, given: Any, expected: list[tuple[str, str]]) -> None:
    assert problems(model, given) == expected


def test_all_problems_are_named_at_once() -> None:
    given = {"tiers": [{"up_to": "x", "unit_amount": "y"}], "extra": 1}
    assert problems("graduated", given) == [
        ("/params/tiers/0/up_to", "number"),
        ("/params/tiers/0/unit_amount", "number"),
        ("/params/extra", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("volume", {"tiers": [{"up_to": "200", "unit_amount": "1"}]}, ("/params/tiers/0/up_to", "open_end")),
        ("volume", {"tiers": [OPEN], "tier_selected_on_units": "3"},
         ("/params/tier_selected_on_units", "not_storable")),
        ("bucketed", {"inner": "standard", "unit_amount": "1"}, ("/params/bucket", "required")),
        ("bucketed", {"inner": "volume", "bucket": "day", "tiers": [{"up_to": "200", "unit_amount": "1"}]},
         ("/params/tiers/0/up_to", "open_end")),
        ("graduated_percentage", {"tiers": [{"up_to": "200", "rate_percent": "1"}]},
         ("/params/tiers/0/up_to", "open_end")),
        ("dimensional", {"inner": "volume", "default": {"tiers": [OPEN]},
                         "prices": [{"match": {"a": "b"}, "params": {"tiers": [{"up_to": "9", "unit_amount": "1"}]}}]},
         ("/params/prices/0/params/tiers/0/up_to", "open_end")),
    ],
)  # fmt: skip
def test_a_price_that_is_kept_must_price_every_quantity(model: str, given: Any, expected: tuple[str, str]) -> None:
    params.parse_params(model=model, params=given)
    assert problems(model, given, stored=True) == [expected]


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("flat", {"amount": "29.00"}, {"amount": "29", "billed": "in_arrears"}),
        ("standard", {"unit_amount": "0.0020"}, {"unit_amount": "0.002"}),
        (
            "graduated",
            {"tiers": [{"up_to": "10.0", "unit_amount": "1"}, OPEN]},
            {
                "tiers": [
                    {"up_to": "10", "unit_amount": "1", "flat_amount": "0"},
                    {"up_to": None, "unit_amount": "1", "flat_amount": "0"},
                ],
                "zero_usage_policy": "charge_first_tier",
            },
        ),
        (
            "package",
            {"package_amount": "5", "package_size": "100"},
            {"package_amount": "5", "package_size": "100", "free_units": "0", "rounding_of_packages": "up"},
        ),
    ],
)
def test_parameters_are_written_in_one_canonical_shape(model: str, given: Any, expected: Any) -> None:
    parsed = params.parse_stored_params(model=model, params=given)
    written = params.write_params(parsed)
    assert written == expected
    assert params.parse_stored_params(model=model, params=written) == parsed
