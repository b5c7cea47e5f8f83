"""What must hold for every price and every quantity."""

from decimal import Decimal
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core import money, rounding
from invoicing.pricing.rules import params
from invoicing.pricing.rules.params import Params, Tier, TieredParams
from invoicing.rating import rules
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.usage import Usage

prices = st.decimals(0, 1000, places=12)
quantities = st.decimals(0, 10**6, places=18)


@st.composite
def tiered(draw: st.DrawFn) -> TieredParams:
    widths = draw(st.lists(st.decimals("0.000001", 10**5, places=6), max_size=5))
    ends: list[Decimal | None] = [*accumulate(widths), None]
    tiers = tuple(Tier(end, draw(prices), draw(prices)) for end in ends)
    return TieredParams(tiers, "charge_first_tier")


@st.composite
def packages(draw: st.DrawFn) -> Params:
    given = {
        "package_amount": money.plain(draw(prices)),
        "package_size": money.plain(draw(st.decimals("0.001", 10**5, places=3))),
        "free_units": money.plain(draw(quantities)),
    }
    return params.parse_params(model="package", params=given)


def amount(model: str, price: Any, quantity: Decimal) -> Decimal:
    return rules.compute(model=model, params=price, usage=Usage(quantity)).amount_exact


@settings(deadline=None)
@given(tiered(), quantities)
def test_tiers_share_out_the_whole_quantity(price: TieredParams, quantity: Decimal) -> None:
    found = rules.compute(model="graduated", params=price, usage=Usage(quantity))
    assert sum((step.quantity for step in found.steps), Decimal(0)) == quantity
    assert rules.compute(model="volume", params=price, usage=Usage(quantity)).steps[0].quantity == quantity


@settings(deadline=None)
@given(tiered(), quantities)
def test_the_steps_add_up_to_the_amount_exactly(price: TieredParams, quantity: Decimal) -> None:
    for model in ("graduated", "volume"):
        found = rules.compute(model=model, params=price, usage=Usage(quantity))
        with rounding.exactly():  # Decimal's own 28 digits would round here
            with_fees = [step.quantity * step.unit_price + step.flat_fee for step in found.steps]
            assert sum(with_fees, Decimal(0)) == found.amount_exact
        assert [step.amount for step in found.steps] == with_fees


@settings(deadline=None)
@given(tiered(), quantities, quantities)
def test_more_usage_never_costs_less_when_graduated(price: TieredParams, one: Decimal, other: Decimal) -> None:
    assert amount("graduated", price, min(one, other)) <= amount("graduated", price, max(one, other))


@settings(deadline=None)
@given(packages(), quantities, quantities)
def test_more_usage_never_costs_less_in_packages(price: Params, one: Decimal, other: Decimal) -> None:
    assert amount("package", price, min(one, other)) <= amount("package", price, max(one, other))


@settings(deadline=None)
@given(prices, quantities, quantities)
def test_a_unit_price_does_not_care_how_usage_is_split(unit_amount: Decimal, one: Decimal, other: Decimal) -> None:
    price = params.StandardParams(unit_amount)
    with rounding.exactly():
        split = amount("standard", price, one) + amount("standard", price, other)
        assert split == amount("standard", price, one + other)


@settings(deadline=None)
@given(tiered(), quantities)
def test_a_boundary_belongs_to_the_tier_below_it(price: TieredParams, quantity: Decimal) -> None:
    for number, tier in enumerate(price.tiers, start=1):
        if tier.up_to is not None:
            steps = rules.compute(model="graduated", params=price, usage=Usage(tier.up_to)).steps
            assert steps[-1].tier == number
            assert rules.compute(model="volume", params=price, usage=Usage(tier.up_to)).steps[0].tier == number


@settings(deadline=None)
@given(prices, st.lists(st.integers(1, 10**12), min_size=1, max_size=6))
def test_the_shares_of_a_fee_add_up_to_it(fee: Decimal, parts: list[int]) -> None:
    price, whole = params.FlatParams(fee), sum(parts)
    shares = [
        rules.compute(
            model="flat", params=price, usage=Usage(Decimal(1)), share=Share(part, whole, "second")
        ).amount_exact
        for part in parts
    ]
    with rounding.exactly():
        assert abs(sum(shares, Decimal(0)) - fee) <= Decimal("1e-29")  # 30 decimals each, six shares at most
