"""What the models of events, buckets, properties and packages cost, by hand."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInputError
from invoicing.pricing.rules import params
from invoicing.rating import rules
from invoicing.rating.rules import steps, trial
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Breakdown, Part, Usage

CARD = {"rate_percent": "2.9", "fixed_amount_per_event": "0.30"}
BLOCKS = {
    "tiers": [
        {"up_to": "1000", "package_size": "100", "package_amount": "2", "flat_amount": "5"},
        {"up_to": None, "package_size": "1000", "package_amount": "15"},
    ]
}


def price(model: str, given: Any, parts: Sequence[Part], *, quantity: str | None = None) -> Computation:
    total = sum((part.quantity for part in parts), Decimal(0)) if quantity is None else Decimal(quantity)
    parsed = params.parse_params(model=model, params=given)
    found = rules.compute(model=model, params=parsed, usage=Usage(total, tuple(parts)), currency="EUR")
    assert steps.units_left(found.as_json(), quantity=total) == 0
    return found


def events(*amounts: str) -> list[Part]:
    return [Part(Decimal(amount)) for amount in amounts]


def told(found: Computation) -> list[tuple[str, str, str]]:
    """Label, quantity and amount of each step."""
    return [(str(step["label"]), str(step["quantity"]), str(step["amount"])) for step in found.as_json()]


@pytest.mark.parametrize(
    ("model", "quantity", "amount"),
    [
        ("graduated_package", "0", "5"),
        ("graduated_package", "1", "7"),
        ("graduated_package", "1000", "25"),
        ("graduated_package", "1000.5", "40"),  # ten blocks, and one of the next tier for half a unit
        ("graduated_package", "2001", "55"),
        ("volume_package", "0", "5"),
        ("volume_package", "1000", "25"),
        ("volume_package", "1000.5", "30"),  # two blocks of a thousand for all
        ("volume_package", "-4", "5"),
    ],
)
def test_blocks_are_rounded_inside_each_tier(model: str, quantity: str, amount: str) -> None:
    assert price(model, BLOCKS, [], quantity=quantity).amount_exact == Decimal(amount)


def test_blocks_may_round_down_and_no_usage_may_be_free() -> None:
    given = {**BLOCKS, "rounding_of_packages": "down", "zero_usage_policy": "no_charge"}
    assert price("graduated_package", given, [], quantity="2999").amount_exact == Decimal(40)  # ten, and one thousand
    assert price("volume_package", given, [], quantity="2999").amount_exact == Decimal(30)
    assert price("volume_package", given, [], quantity="0").amount_exact == 0


def test_a_bare_percentage_asks_for_nothing_but_the_total() -> None:
    parsed = params.parse_params(model="percentage", params={"rate_percent": "2.9"})
    assert rules.breakdown_of(model="percentage", params=parsed) is None
    assert price("percentage", {"rate_percent": "2.9"}, [], quantity="1000.10").amount_exact == Decimal("29.0029")
    assert price("percentage", {"rate_percent": "2.9"}, [], quantity="-5").amount_exact == 0


def test_a_fixed_fee_asks_for_the_number_of_events() -> None:
    parsed = params.parse_params(model="percentage", params=CARD)
    assert rules.breakdown_of(model="percentage", params=parsed) == Breakdown("properties")
    one_part = [Part(Decimal(1000), events=4)]
    assert price("percentage", CARD, one_part).amount_exact == Decimal("30.20")
    assert price("percentage", CARD, events("100", "200", "300", "400")).amount_exact == Decimal("30.20")
    assert price("percentage", CARD, []).amount_exact == 0


def test_limits_and_free_parts_ask_for_the_events() -> None:
    # Which events are free is a matter of their order; a limit is the same for all events of one value.
    wanted: list[tuple[dict[str, Any], Breakdown]] = [
        ({"free_events": 1}, Breakdown("events", free_events=1)),
        ({"free_total_amount": "1"}, Breakdown("events", free_amount=Decimal(1))),
        ({"per_transaction_min": "1"}, Breakdown("events", in_any_order=True)),
        ({"per_transaction_max": "1"}, Breakdown("events", in_any_order=True)),
        ({"free_events": 1, "per_transaction_max": "1"}, Breakdown("events", free_events=1, free_by_value=True)),
    ]
    for limit, breakdown in wanted:
        parsed = params.parse_params(model="percentage", params={**CARD, **limit})
        assert rules.breakdown_of(model="percentage", params=parsed) == breakdown


def test_the_steps_of_a_percentage_say_what_was_free_least_and_most() -> None:
    given = {
        "rate_percent": "1",
        "fixed_amount_per_event": "0.10",
        "free_total_amount": "150",
        "per_transaction_min": "0.50",
        "per_transaction_max": "5",
    }
    found = price("percentage", given, events("100", "100", "20", "1000", "200"))
    assert told(found) == [
        ("Free", "150", "0"),
        ("1 % and 0.1 for each event", "250", "2.7"),  # 50 of the second event, and the last
        ("At least 0.5 each", "20", "0.5"),
        ("At most 5 each", "1000", "5"),
    ]
    assert found.amount_exact == Decimal("8.2")


def test_the_free_part_ends_for_good_at_its_first_end() -> None:
    given = {"rate_percent": "10", "free_events": 2, "free_total_amount": "1000"}
    assert price("percentage", given, events("10", "10", "10", "10")).amount_exact == Decimal(2)
    assert price("percentage", given, events("1001", "10")).amount_exact == Decimal("1.1")
    # a refund after the free part does not open it again
    assert price("percentage", given, events("1001", "-500", "10")).amount_exact == 0


def test_a_free_part_of_nothing_says_nothing() -> None:
    """Lago `percentage_service_spec`: two free events beside a free amount of 0."""
    limits = {"per_transaction_min": "1.75", "per_transaction_max": "12"}
    given = {"rate_percent": "2.99", "free_events": 2, "free_total_amount": "0", **limits}
    assert price("percentage", given, events("10", "80", "10000")).amount_exact == 12
    bare = params.parse_params(model="percentage", params={"rate_percent": "1", "free_events": 0})
    assert rules.breakdown_of(model="percentage", params=bare) is None


def test_events_that_are_worth_nothing_together_cost_no_fee() -> None:
    """Lago `percentage_service_spec`, where the aggregation is 0."""
    assert told(price("percentage", CARD, events("0", "0"))) == [("No usage, no fee", "0", "0")]
    assert price("percentage", CARD, events("0", "1")).amount_exact == Decimal("0.629")


def test_amounts_without_units_are_not_charged() -> None:
    """Lago `dynamic_service_spec`, where the aggregation is 0."""
    assert (
        price("dynamic", {"price_from": "event amount"}, [Part(Decimal(0), amount=Decimal("40.2"))]).amount_exact == 0
    )


def test_a_refund_takes_its_rate_back_but_is_never_raised_to_the_least() -> None:
    given = {"rate_percent": "1", "fixed_amount_per_event": "0.10", "per_transaction_min": "0.50"}
    assert price("percentage", given, events("1000", "-200")).amount_exact == Decimal("8.2")
    below = price("percentage", given, events("10", "-200"))
    assert told(below)[-1] == ("Corrections exceed usage: charged as 0", "0", "1.4")
    assert below.amount_exact == 0


def test_a_graduated_percentage_takes_each_band_at_its_rate() -> None:
    first = {"up_to": "1000", "rate_percent": "2.5", "flat_amount": "1"}
    given = {"tiers": [first, {"up_to": None, "rate_percent": "1"}]}
    found = price("graduated_percentage", given, [], quantity="1500.50")
    assert told(found) == [("Tier 1: 0 to 1000", "1000", "26"), ("Tier 2: above 1000", "500.5", "5.005")]


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({"price_from": "event amount"}, "0.3333"),
        ({"price_from": "event amount in minor units"}, "0.003333"),
        ({"price_from": "event amount", "multiplier": "1.5"}, "0.49995"),
    ],
)
def test_amounts_of_events_are_summed_precisely(given: Any, amount: str) -> None:
    parts = [Part(Decimal(3), amount=Decimal("0.1111")), Part(Decimal(4), amount=Decimal("0.2222")), Part(Decimal(1))]
    assert price("dynamic", given, parts).amount_exact == Decimal(amount)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "250"), ("EUR", "2.5"), ("KWD", "0.25"), ("CLF", "0.025")])
def test_minor_units_are_those_of_the_currency(currency: str, amount: str) -> None:
    given = params.parse_params(model="dynamic", params={"price_from": "event amount in minor units"})
    usage = Usage(Decimal(1), (Part(Decimal(1), amount=Decimal(250)),))
    assert rules.compute(model="dynamic", params=given, usage=usage, currency=currency).amount_exact == Decimal(amount)


def test_a_dynamic_price_names_the_property_that_it_sums() -> None:
    given = {"price_from": "event amount", "amount_property": "price"}
    parsed = params.parse_params(model="dynamic", params=given)
    assert rules.breakdown_of(model="dynamic", params=parsed) == Breakdown("properties", amount_property="price")
    measured = params.parse_params(model="dynamic", params={"multiplier": "2"})
    assert rules.breakdown_of(model="dynamic", params=measured) is None
    assert price("dynamic", {"multiplier": "2"}, [], quantity="1.5").amount_exact == Decimal(3)


def test_credits_beyond_the_amounts_of_events_are_charged_as_nothing() -> None:
    parts = [Part(Decimal(1), amount=Decimal(5)), Part(Decimal(1), amount=Decimal(-7))]
    assert price("dynamic", {"price_from": "event amount"}, parts).amount_exact == 0


def test_every_bucket_starts_the_tiers_afresh() -> None:
    given = {
        "inner": "graduated",
        "tiers": [{"up_to": "10", "unit_amount": "1", "flat_amount": "2"}, {"up_to": None, "unit_amount": "0.5"}],
        "bucket": "hour",
        "bucket_zone": "UTC",
    }
    parsed = params.parse_params(model="bucketed", params=given)
    assert rules.breakdown_of(model="bucketed", params=parsed) == Breakdown("buckets", width="hour", zone="UTC")
    parts = [Part(Decimal(12), bucket="b"), Part(Decimal(30), bucket="a"), Part(Decimal(4), bucket="c")]
    found = price("bucketed", given, parts)
    assert told(found) == [
        ("Tier 1: 0 to 10", "24", "30"),  # 10 + 10 + 4 units, and the fee thrice
        ("Tier 2: above 10", "22", "11"),
    ]


def test_included_units_are_of_each_bucket_and_limits_of_the_whole() -> None:
    given = {
        "inner": "standard",
        "unit_amount": "1",
        "included_quantity": "5",
        "unit_rounding": {"function": "ceil", "precision": 0},
        "maximum_amount": "6",
    }
    parts = [Part(Decimal("7.2"), bucket="a"), Part(Decimal("4.1"), bucket="b"), Part(Decimal(9), bucket="c")]
    assert told(price("bucketed", given, parts)) == [
        ("Units rounded up to 1", "20.3", "0"),
        ("Included: 5", "15", "0"),
        ("Per unit", "7", "7"),
        ("Maximum of 6", "0", "-1"),
    ]


def test_a_commitment_in_buckets_is_one_of_each() -> None:
    """Flexprice `billing_commitment_test`: 10 a window at 2 a unit; 4 is raised to 10, 16 costs 10 and 6 twice."""
    given = {"base": "standard", "unit_amount": "2", "per_window_commitment": "10", "overage_factor": "2"}
    used = [{"bucket": "10:00", "value": "2"}, {"bucket": "12:00", "value": "8"}]
    found = trial.try_price(model="commitment", params=given, currency="EUR", events=used, rounding_rule=None)
    assert found.amount == "32"


def test_a_bucket_below_zero_is_charged_as_nothing() -> None:
    parts = [Part(Decimal(-3), bucket="a"), Part(Decimal(2), bucket="b")]
    assert price("bucketed", {"inner": "standard", "unit_amount": "1"}, parts).amount_exact == 2


def test_each_combination_of_properties_has_its_price() -> None:
    falling = {"tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]}
    given = {
        "inner": "graduated",
        "prices": [
            {"match": {"cloud": "aws"}, "params": falling},
            {"match": {"cloud": "aws", "region": "eu"}, "params": {"tiers": [{"up_to": None, "unit_amount": "2"}]}},
        ],
        "default": {"tiers": [{"up_to": None, "unit_amount": "3", "flat_amount": "4"}]},
    }
    parsed = params.parse_params(model="dimensional", params=given)
    assert rules.breakdown_of(model="dimensional", params=parsed) == Breakdown("properties", ("cloud", "region"))
    parts = [
        Part(Decimal(8), properties=(("cloud", "aws"), ("region", "us"))),
        Part(Decimal(8), properties=(("cloud", "aws"),)),  # together 16 in the tiers of aws
        Part(Decimal(5), properties=(("cloud", "aws"), ("region", "eu"))),
        Part(Decimal(1), properties=(("region", "eu"),)),
    ]
    assert told(price("dimensional", given, parts)) == [
        ("cloud aws: Tier 1: 0 to 10", "10", "10"),
        ("cloud aws: Tier 2: above 10", "6", "3"),
        ("cloud aws, region eu: Tier 1: every unit", "5", "10"),
        ("Other: Tier 1: every unit", "1", "7"),
    ]
    assert told(price("dimensional", given, [])) == [("Other: Tier 1: every unit", "0", "4")]


def test_a_percentage_may_depend_on_properties() -> None:
    given = {
        "inner": "percentage",
        "prices": [{"match": {"card": "foreign"}, "params": {"rate_percent": "4.4", "fixed_amount_per_event": "0.30"}}],
        "default": {**CARD, "minimum_amount": "5"},
        "discount_percent": "10",
    }
    parts = [
        Part(Decimal(100), events=3, properties=(("card", "foreign"),)),
        Part(Decimal(100), events=2, properties=(("card", "own"),)),
    ]
    assert told(price("dimensional", given, parts)) == [
        ("card foreign: 4.4 % and 0.3 for each event", "100", "5.3"),
        ("Other: 2.9 % and 0.3 for each event", "100", "3.5"),
        ("Other: Minimum of 5", "0", "1.5"),
        ("Discount of 10 %", "0", "-1.03"),
    ]


def test_unit_prices_may_have_twelve_decimals_of_any_minor_unit() -> None:
    """Stripe `unit_amount_decimal`: 12 decimals of a minor unit, which CLF has four of."""
    found = price("standard", {"unit_amount": "0.0000000000000001"}, [], quantity="5000000000000")
    assert found.amount_exact == Decimal("0.0005")
    with pytest.raises(InvalidInputError, match="At most 16 decimals"):
        params.parse_params(model="standard", params={"unit_amount": "0.00000000000000001"})
