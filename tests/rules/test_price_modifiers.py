"""What stands around a model, by hand: units before it, discounts and limits after it."""

from decimal import Decimal
from typing import Any

import pytest

from core import rounding
from invoicing.pricing.rules import params
from invoicing.pricing.rules.params import ParamsError
from invoicing.rating import rules
from invoicing.rating.rules import steps
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Part, Usage

UNIT = {"unit_amount": "2"}
TIERS = {"tiers": [{"up_to": "10", "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}]}
HALF = Share(15, 30, "day")
THIRD = Share(10, 30, "day")


def price(given: Any, quantity: str, *, model: str = "standard", share: Share = WHOLE) -> Computation:
    parsed = params.parse_params(model=model, params=given)
    found = rules.compute(model=model, params=parsed, usage=Usage(Decimal(quantity)), share=share)
    assert steps.units_left(found.as_json(), quantity=Decimal(quantity)) == 0
    with rounding.exactly():
        assert sum((step.amount for step in found.steps), Decimal(0)) == found.amount_exact
    return found


def told(found: Computation) -> list[tuple[str, str, str]]:
    return [(str(step["label"]), str(step["quantity"]), str(step["amount"])) for step in found.as_json()]


def test_every_modifier_is_a_step_in_its_order() -> None:
    given = {
        **TIERS,
        "unit_conversion": {"operation": "divide", "factor": "1000"},
        "unit_rounding": {"function": "ceil", "precision": 0},
        "included_quantity": "5",
        "usage_discount": "3",
        "discount_percent": "10",
        "maximum_amount": "20",
    }
    found = price(given, "20400", model="graduated")
    assert told(found) == [
        ("Converted: ÷ 1000", "20400", "0"),
        ("Units rounded up to 1", "20.4", "0"),
        ("Included: 5", "5", "0"),
        ("Usage discount: 3", "3", "0"),
        ("Tier 1: 0 to 10", "10", "20"),
        ("Tier 2: above 10", "3", "3"),
        ("Discount of 10 %", "0", "-2.3"),
        ("Maximum of 20", "0", "-0.7"),
    ]
    assert found.as_json()[0]["becomes"] == "20.4"
    assert found.amount_exact == Decimal(20)


@pytest.mark.parametrize(
    ("conversion", "quantity", "amount"),
    [
        ({"operation": "divide", "factor": "1000", "rounding": "ceiling"}, "1000.000000000000000001", "4"),
        ({"operation": "divide", "factor": "1000", "rounding": "floor"}, "1999.999999999999999999", "2"),
        ({"operation": "divide", "factor": "1000", "rounding": "half_up"}, "1500", "4"),
        ({"operation": "divide", "factor": "3"}, "1", "0.666666666666666666"),  # a third to 18 decimals, twice
        ({"operation": "multiply", "factor": "1.5"}, "3", "9"),
        ({"operation": "multiply", "factor": "1.2", "rounding": "none"}, "10", "24"),
        ({"operation": "divide", "factor": "1000"}, "-5", "0"),
    ],
)
def test_units_are_converted_exactly_and_rounded_once(conversion: Any, quantity: str, amount: str) -> None:
    assert price({**UNIT, "unit_conversion": conversion}, quantity).amount_exact == Decimal(amount)


@pytest.mark.parametrize(("quantity", "amount"), [("0", "0"), ("5", "0"), ("5.5", "1"), ("100", "190"), ("-1", "0")])
def test_what_is_included_costs_nothing_and_the_rest_is_overage(quantity: str, amount: str) -> None:
    assert price({**UNIT, "included_quantity": "5"}, quantity).amount_exact == Decimal(amount)


@pytest.mark.parametrize(
    ("given", "quantity", "amount"),
    [
        ({"committed_quantity": "4", "overage_factor": "2"}, "10", "32"),  # 8, and 12 twice
        ({"committed_quantity": "4", "overage_factor": "2"}, "4", "8"),
        ({"committed_quantity": "4", "overage_factor": "2"}, "1", "8"),
        ({"committed_quantity": "4", "overage_factor": "2", "true_up": False}, "1", "2"),
        ({"committed_quantity": "4"}, "10", "20"),
        ({"committed_quantity": "4"}, "0", "8"),
        ({"committed_amount": "10", "overage_factor": "2"}, "8", "22"),  # Flexprice: 10, and 6 twice
        ({"committed_amount": "10", "overage_factor": "2"}, "2", "10"),
        ({"committed_amount": "10", "overage_factor": "2", "true_up": False}, "2", "4"),
    ],
)
def test_a_commitment_is_paid_in_any_case_and_what_goes_beyond_costs_a_multiple(
    given: Any, quantity: str, amount: str
) -> None:
    assert price({**UNIT, **given}, quantity).amount_exact == Decimal(amount)


@pytest.mark.parametrize(
    ("quantity", "amount"), [("0", "10"), ("3", "10"), ("5", "10"), ("6", "12"), ("10", "20"), ("99", "20")]
)
def test_an_amount_stays_between_minimum_and_maximum(quantity: str, amount: str) -> None:
    found = price({**UNIT, "minimum_amount": "10", "maximum_amount": "20"}, quantity)
    assert found.amount_exact == Decimal(amount)
    assert len(found.steps) == (1 if 10 <= found.steps[0].amount <= 20 else 2)


def test_a_part_of_a_period_has_its_part_of_what_is_included_and_of_the_limits() -> None:
    given = {**UNIT, "included_quantity": "5", "minimum_amount": "10"}
    assert told(price(given, "3", share=HALF)) == [
        ("Included: 5, for 15 of 30 days", "2.5", "0"),
        ("Per unit", "0.5", "1"),
        ("Minimum of 10, for 15 of 30 days", "0", "4"),
    ]
    assert told(price({**given, "partial_period": "whole"}, "3", share=HALF)) == [
        ("Included: 5", "3", "0"),
        ("Per unit", "0", "0"),
        ("Minimum of 10", "0", "10"),
    ]


def test_a_part_of_a_period_has_its_part_of_a_commitment() -> None:
    assert told(price({**UNIT, "committed_amount": "10"}, "1", share=HALF)) == [
        ("Per unit", "1", "2"),
        ("Up to the commitment of 10, for 15 of 30 days", "0", "3"),
    ]


def test_thirds_of_a_limit_are_kept_to_thirty_decimals() -> None:
    found = price({**UNIT, "minimum_amount": "10"}, "0", share=THIRD)
    assert found.amount_exact == Decimal("3.333333333333333333333333333333")


def test_a_fee_may_have_a_discount() -> None:
    found = price({"amount": "29.00", "discount_percent": "10"}, "1", model="flat", share=HALF)
    assert told(found) == [("15 of 30 days", "1", "14.5"), ("Discount of 10 %", "0", "-1.45")]


def test_only_what_is_included_or_limits_follows_the_share() -> None:
    def follows(given: Any, model: str = "standard") -> bool:
        return params.follows_share(params.parse_params(model=model, params=given))

    assert follows({"amount": "1"}, "flat")
    assert not follows(UNIT)
    assert not follows({**UNIT, "discount_percent": "5", "unit_rounding": {"function": "ceil"}})
    assert follows({**UNIT, "included_quantity": "5"})
    assert not follows({**UNIT, "included_quantity": "5", "partial_period": "whole"})
    assert follows({**UNIT, "minimum_amount": "5"})
    assert follows({"minimum_amount": "5"}, "commitment")
    discounted = {"match": {"a": "b"}, "params": {**UNIT, "usage_discount": "1"}}
    nested = {"inner": "standard", "prices": [discounted], "default": UNIT}
    assert follows(nested, "dimensional")
    assert not follows({"inner": "standard", **UNIT, "included_quantity": "5", "bucket": "hour"}, "bucketed")


def test_units_of_events_are_converted_where_they_are_priced() -> None:
    given = {"rate_percent": "10", "free_events": 1, "unit_conversion": {"operation": "divide", "factor": "100"}}
    parsed = params.parse_params(model="percentage", params=given)
    usage = Usage(Decimal(3000), (Part(Decimal(1000)), Part(Decimal(2000))))
    found = rules.compute(model="percentage", params=parsed, usage=usage)
    assert told(found) == [("Converted: ÷ 100", "3000", "0"), ("Free", "10", "0"), ("10 %", "20", "2")]


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("standard", {**UNIT, "minimum_amount": "5", "maximum_amount": "4"}, ("/params/maximum_amount", "order")),
        ("standard", {**UNIT, "discount_percent": "101"}, ("/params/discount_percent", "out_of_range")),
        ("standard", {**UNIT, "overage_factor": "2"}, ("/params/overage_factor", "needs_other")),
        ("standard", {**UNIT, "committed_quantity": "2", "committed_amount": "2"},
         ("/params/committed_amount", "order")),
        ("standard", {**UNIT, "committed_quantity": "2", "true_up": "no"}, ("/params/true_up", "type")),
        ("standard", {**UNIT, "unit_conversion": {"operation": "halve", "factor": "2"}},
         ("/params/unit_conversion/operation", "choice")),
        ("standard", {**UNIT, "unit_conversion": {"operation": "divide", "factor": "0"}},
         ("/params/unit_conversion/factor", "out_of_range")),
        ("standard", {**UNIT, "unit_conversion": 7}, ("/params/unit_conversion", "type")),
        ("standard", {**UNIT, "unit_rounding": {"function": "ceil", "precision": "1.5"}},
         ("/params/unit_rounding/precision", "number")),
        ("standard", {**UNIT, "unit_rounding": {"function": "ceil", "precision": 13}},
         ("/params/unit_rounding/precision", "out_of_range")),
        ("standard", {**UNIT, "partial_period": "half"}, ("/params/partial_period", "choice")),
        ("standard", {**UNIT, "filters": [{"a": "b", "unit_amount": "1"}], "included_quantity": "1"},
         ("/params/included_quantity", "not_here")),
        ("percentage", {"rate_percent": "1", "included_quantity": "1"}, ("/params/included_quantity", "not_here")),
        ("dynamic", {"unit_rounding": {"function": "ceil"}}, ("/params/unit_rounding", "not_here")),
        ("flat", {"amount": "1", "minimum_amount": "1"}, ("/params/minimum_amount", "not_here")),
        ("dimensional", {"inner": "standard", "prices": [{"match": {"a": "b"}, "params": UNIT}], "default": UNIT,
                         "included_quantity": "1"}, ("/params/included_quantity", "not_here")),
    ],
)  # fmt: skip
def test_a_modifier_that_means_nothing_is_refused(model: str, given: Any, expected: tuple[str, str]) -> None:
    with pytest.raises(ParamsError) as refusal:
        params.parse_params(model=model, params=given)
    assert expected in [(each["pointer"], each["code"]) for each in refusal.value.problems()]


@pytest.mark.parametrize(
    "given",
    [
        {**UNIT, "included_quantity": "5", "committed_quantity": "4", "overage_factor": "2", "true_up": False},
        {**UNIT, "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": None}},
        {**UNIT, "unit_rounding": {"function": "ceil", "precision": -2}, "discount_percent": "12.5"},
        {**UNIT, "minimum_amount": "0", "maximum_amount": "4", "partial_period": "whole"},
        {**UNIT, "committed_amount": "4", "overage_factor": "1.5", "true_up": True, "partial_period": "prorate"},
    ],
)
def test_modifiers_are_written_as_they_are_read(given: Any) -> None:
    parsed = params.parse_stored_params(model="standard", params=given)
    written = params.write_params(parsed)
    assert given.items() <= written.items()
    assert params.parse_stored_params(model="standard", params=written) == parsed
