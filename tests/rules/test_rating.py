"""What quantities cost, by hand: standard, graduated, volume, package and flat prices."""

from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInputError
from invoicing.pricing.rules import params
from invoicing.rating import rules
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Breakdown, Part, Usage

# Ten units at 2.00 and 1.00 for entering; the next ninety at 1.50; then 1.00 and 5.00 for entering.
TIERS = {
    "tiers": [
        {"up_to": "10", "unit_amount": "2", "flat_amount": "1"},
        {"up_to": "100", "unit_amount": "1.5"},
        {"up_to": None, "unit_amount": "1", "flat_amount": "5"},
    ]
}


def price(model: str, given: Any, quantity: str) -> Computation:
    parsed = params.parse_params(model=model, params=given)
    return rules.compute(model=model, params=parsed, usage=Usage(Decimal(quantity)))


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "1"),  # the first tier's fee
        ("0.000000000000000001", "1.000000000000000002"),
        ("9.999999999999999999", "20.999999999999999998"),
        ("10", "21"),
        ("10.000000000000000001", "21.0000000000000000015"),  # just above the boundary: the next tier
        ("100", "156"),
        ("100.5", "161.5"),
        ("101", "162"),
        ("1000", "1061"),
        ("-3", "1"),  # corrections beyond usage count as no usage
    ],
)
def test_graduated_prices_each_part_in_its_own_tier(quantity: str, amount: str) -> None:
    assert price("graduated", TIERS, quantity).amount_exact == Decimal(amount)


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("0", "1"),
        ("10", "21"),
        ("10.000000000000000001", "15.0000000000000000015"),  # all units at the lower price
        ("100", "150"),
        ("100.5", "105.5"),
        ("-3", "1"),
    ],
)
def test_volume_prices_all_units_in_the_tier_reached(quantity: str, amount: str) -> None:
    assert price("volume", TIERS, quantity).amount_exact == Decimal(amount)


@pytest.mark.parametrize("model", ["graduated", "volume"])
def test_no_usage_may_be_free(model: str) -> None:
    free = {**TIERS, "zero_usage_policy": "no_charge"}
    assert price(model, free, "0") == Computation(Decimal(0), ())
    assert price(model, free, "1").amount_exact == Decimal(3)


@pytest.mark.parametrize(
    ("given", "quantity", "amount"),
    [
        ({"package_amount": "5", "package_size": "100"}, "0", "0"),
        ({"package_amount": "5", "package_size": "100"}, "0.000000000000000001", "5"),
        ({"package_amount": "5", "package_size": "100"}, "100", "5"),
        ({"package_amount": "5", "package_size": "100"}, "100.000000000000000001", "10"),
        ({"package_amount": "5", "package_size": "100", "free_units": "30"}, "30", "0"),
        ({"package_amount": "5", "package_size": "100", "free_units": "30"}, "130", "5"),
        ({"package_amount": "5", "package_size": "100", "free_units": "30"}, "131", "10"),
        ({"package_amount": "5", "package_size": "100", "rounding_of_packages": "down"}, "199", "5"),
        ({"package_amount": "5", "package_size": "100", "free_units": "30"}, "-7", "0"),
        # a third has no end in decimals: one unit less than three thirds must still begin the third package
        ({"package_amount": "1", "package_size": "0.333333333333333333"}, "0.999999999999999999", "3"),
        ({"package_amount": "1", "package_size": "0.333333333333333333"}, "1", "4"),
    ],
)
def test_every_begun_package_costs_the_whole_price(given: Any, quantity: str, amount: str) -> None:
    assert price("package", given, quantity).amount_exact == Decimal(amount)


def test_a_unit_price_is_multiplied_exactly() -> None:
    found = price("standard", {"unit_amount": "0.000000000001"}, "999999999999999.999999999999999999")
    assert found.amount_exact == Decimal("999.999999999999999999999999999999")


def test_a_fee_is_charged_by_its_share_for_each_of_a_quantity() -> None:
    fee = params.parse_params(model="flat", params={"amount": "29.00"})
    found = rules.compute(model="flat", params=fee, usage=Usage(Decimal(7)), share=Share(18, 29, "day"))
    assert found.amount_exact == Decimal(126)  # seven times 29.00 × 18/29
    assert [step.label for step in found.steps] == ["18 of 29 days"]


def test_an_amount_beyond_any_invoice_is_refused() -> None:
    with pytest.raises(rules.AmountTooLargeError, match="check price and quantity"):
        price("standard", {"unit_amount": "2"}, "500000000000001")
    assert price("standard", {"unit_amount": "2"}, "500000000000000").amount_exact == Decimal("1e15")


def test_units_beyond_the_last_tier_have_no_price() -> None:
    ending = {"tiers": [{"up_to": "200", "unit_amount": "1"}]}
    assert price("graduated", ending, "200").amount_exact == Decimal(200)
    for model in ("graduated", "volume"):
        with pytest.raises(InvalidInputError, match="end at 200 units") as refusal:
            price(model, ending, "200.5")
        assert refusal.value.pointer == "/params/tiers/0/up_to"


def test_the_steps_say_how_the_amount_came_about() -> None:
    assert price("graduated", TIERS, "12").as_json() == [
        {
            "label": "Tier 1: 0 to 10",
            "tier": 1,
            "from": "0",
            "up_to": "10",
            "quantity": "10",
            "unit_price": "2",
            "flat_fee": "1",
            "amount": "21",
        },
        {
            "label": "Tier 2: above 10 to 100",
            "tier": 2,
            "from": "10",
            "up_to": "100",
            "quantity": "2",
            "unit_price": "1.5",
            "flat_fee": "0",
            "amount": "3",
        },
    ]


def test_the_last_tier_has_no_end_in_its_step() -> None:
    last = price("volume", TIERS, "101").as_json()[0]
    assert (last["label"], last["from"], last["up_to"]) == ("Tier 3: above 100", "100", None)


def test_packages_are_the_quantity_of_their_step() -> None:
    given = {"package_amount": "5", "package_size": "100", "free_units": "30"}
    assert price("package", given, "131").as_json() == [
        {"label": "Packages of 100, 30 free", "quantity": "2", "units": "131", "unit_price": "5", "flat_fee": "0",
         "amount": "10"}
    ]  # fmt: skip


def test_usage_below_zero_is_shown_with_its_quantity() -> None:
    steps = price("standard", {"unit_amount": "2"}, "-3").as_json()
    assert [(step["label"], step["quantity"], step["amount"]) for step in steps] == [
        ("Corrections exceed usage: charged as 0", "-3", "0"),
        ("Per unit", "0", "0"),
    ]


def test_events_are_priced_by_the_closest_filter() -> None:
    given = {
        "unit_amount": "1",
        "filters": [{"cloud": "aws", "unit_amount": "2"}, {"cloud": "aws", "region": "eu", "unit_amount": "3"}],
    }
    price = params.parse_params(model="standard", params=given)
    assert rules.breakdown_of(model="standard", params=price) == Breakdown("properties", ("cloud", "region"))
    parts = (
        Part(Decimal(10), properties=(("cloud", "aws"), ("region", "us"))),
        Part(Decimal(100), properties=(("cloud", "aws"), ("region", "eu"))),
        Part(Decimal(900), properties=(("cloud", "gcp"), ("region", "eu"))),
        Part(Decimal(100), properties=(("region", "eu"),)),
    )
    found = rules.compute(model="standard", params=price, usage=Usage(Decimal(1110), parts))
    assert [(step.label, step.amount) for step in found.steps] == [
        ("cloud aws", Decimal(20)),
        ("cloud aws, region eu", Decimal(300)),
        ("Other", Decimal(1000)),
    ]
    assert found.amount_exact == Decimal(1320)


def test_a_price_by_property_refuses_a_bare_quantity() -> None:
    given = {"unit_amount": "1", "filters": [{"cloud": "aws", "unit_amount": "2"}]}
    with pytest.raises(rules.PartsMissingError, match="needs the parts"):
        price("standard", given, "5")
    assert price("standard", given, "0").amount_exact == 0


def test_a_price_for_every_unit_alike_needs_no_parts() -> None:
    for model, given in (("standard", {"unit_amount": "1"}), ("graduated", TIERS), ("flat", {"amount": "1"})):
        assert rules.breakdown_of(model=model, params=params.parse_params(model=model, params=given)) is None
