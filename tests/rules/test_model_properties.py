"""What must hold for every model, every modifier and every usage."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import money, rounding
from invoicing.pricing.rules import params
from invoicing.rating import rules
from invoicing.rating.rules import allocation, per_unit, preview, steps, trial
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Part, Usage

PROPERTIES = ("cloud", "region")
VALUES = ("a", "b", "c")
CURRENCIES = ("JPY", "EUR", "KWD", "CLF")  # 0, 2, 3 and 4 decimals
SPLITTABLE = ("standard", "filters", "percentage", "dynamic", "dimensional")  # their amount is a sum over the usage

Given = dict[str, Any]


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[str]:
    return st.decimals(Decimal(least), Decimal(most), places=places).map(money.plain)


prices, sizes = decimals("0", "1000", 16), decimals("0.001", "10000", 3)
quantities = st.decimals(0, 10**5, places=18)


@st.composite
def tiers(draw: st.DrawFn, /, **fields: st.SearchStrategy[Any]) -> Given:
    widths = draw(st.lists(st.decimals("0.000001", 10**4, places=6), max_size=4))
    ends: list[str | None] = [*map(money.plain, accumulate(widths)), None]
    policy = draw(st.sampled_from(["charge_first_tier", "no_charge"]))
    return {
        "tiers": [{"up_to": end, **{name: draw(field) for name, field in fields.items()}} for end in ends],
        "zero_usage_policy": policy,
    }


unit_tiers = tiers(unit_amount=prices, flat_amount=prices)
package_tiers = tiers(package_size=sizes, package_amount=prices, flat_amount=prices)
rate_tiers = tiers(rate_percent=decimals("0", "100", 12), flat_amount=prices)
matches = st.dictionaries(st.sampled_from(PROPERTIES), st.sampled_from(VALUES), min_size=1)
rates = st.fixed_dictionaries({"rate_percent": decimals("0", "100", 12), "fixed_amount_per_event": prices})


def per_match(price: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[dict[str, str], Any]]]:
    """Prices with the properties they are for, none of them twice."""
    entries = st.tuples(matches, price)
    return st.lists(entries, min_size=1, max_size=4, unique_by=lambda entry: tuple(sorted(entry[0].items())))


filters = per_match(prices).map(lambda found: [{**match, "unit_amount": price} for match, price in found])
dimensions = per_match(prices).map(
    lambda found: [{"match": match, "params": {"unit_amount": price}} for match, price in found]
)


MODELS: dict[str, tuple[str, st.SearchStrategy[Given]]] = {
    "standard": ("standard", st.fixed_dictionaries({"unit_amount": prices})),
    "graduated": ("graduated", unit_tiers),
    "volume": ("volume", unit_tiers),
    "package": (
        "package",
        st.fixed_dictionaries({"package_amount": prices, "package_size": sizes, "free_units": sizes}),
    ),
    "graduated_package": ("graduated_package", package_tiers),
    "volume_package": ("volume_package", package_tiers),
    "graduated_percentage": ("graduated_percentage", rate_tiers),
    "filters": ("standard", st.fixed_dictionaries({"unit_amount": prices, "filters": filters})),
    "percentage": ("percentage", rates),
    "limited": (
        "percentage",
        st.builds(
            lambda rate, least, more, free, amount: {
                **rate,
                "free_events": free,
                "free_total_amount": amount,
                "per_transaction_min": least,
                "per_transaction_max": money.plain(Decimal(least) + Decimal(more)),
            },
            rates,
            decimals("0", "10", 4),
            decimals("0", "10", 4),
            st.integers(0, 3),
            decimals("0", "100000", 4),
        ),
    ),
    "dynamic": (
        "dynamic",
        st.fixed_dictionaries({"price_from": st.just("event amount"), "multiplier": decimals("0.1", "9", 6)}),
    ),
    "bucketed": ("bucketed", unit_tiers.map(lambda given: {"inner": "graduated", **given})),
    "dimensional": (
        "dimensional",
        st.fixed_dictionaries(
            {
                "inner": st.just("standard"),
                "prices": dimensions,
                "default": st.fixed_dictionaries({"unit_amount": prices}),
            }
        ),
    ),
}
TOTALS = ("standard", "graduated", "volume", "package", "graduated_package", "volume_package", "graduated_percentage")
MONOTONE = tuple(name for name in MODELS if not name.startswith("volume"))  # more at a lower price may cost less

discounts = st.fixed_dictionaries({}, optional={"discount_percent": decimals("0", "100", 6), "minimum_amount": prices})
units = st.fixed_dictionaries(
    {},
    optional={
        "unit_conversion": st.fixed_dictionaries(
            {"operation": st.sampled_from(["divide", "multiply"]), "factor": decimals("0.5", "1000", 2)},
            optional={"rounding": st.sampled_from(["ceiling", "floor", "half_up"])},
        ),
        "unit_rounding": st.fixed_dictionaries(
            {"function": st.sampled_from(["round", "ceil", "floor"]), "precision": st.integers(-2, 6)}
        ),
    },
)
included = st.fixed_dictionaries({}, optional={"included_quantity": sizes, "usage_discount": sizes})
committed: st.SearchStrategy[Given] = st.fixed_dictionaries({}) | st.tuples(
    st.fixed_dictionaries({"committed_quantity": sizes}) | st.fixed_dictionaries({"committed_amount": sizes}),
    st.fixed_dictionaries({}, optional={"overage_factor": decimals("0.1", "4", 2), "true_up": st.booleans()}),
).map(lambda pair: {**pair[0], **pair[1]})
parts = st.builds(
    Part,
    quantities,
    properties=st.dictionaries(st.sampled_from(PROPERTIES), st.sampled_from(VALUES)).map(
        lambda carried: tuple(sorted(carried.items()))
    ),
    bucket=st.sampled_from(VALUES),
    amount=quantities,
)
shares = st.integers(1, 31).map(lambda part: Share(part, 31, "day"))


@st.composite
def modified(draw: st.DrawFn, names: Sequence[str] = tuple(MODELS)) -> tuple[str, Given]:
    """A model with some of the modifiers that it takes."""
    name = draw(st.sampled_from(names))
    model, strategy = MODELS[name]
    given = {**draw(strategy), **draw(discounts)}
    if name not in ("dynamic", "dimensional"):
        given |= draw(units)
    if name in TOTALS or name == "bucketed":
        given |= {**draw(included), **draw(committed)}
    return model, given


@st.composite
def plain(draw: st.DrawFn, names: Sequence[str]) -> tuple[str, Given]:
    model, strategy = MODELS[draw(st.sampled_from(names))]
    return model, draw(strategy)


def price(priced: tuple[str, Given], used: Sequence[Part], *, share: Share = WHOLE) -> Computation:
    model, given = priced
    parsed = params.parse_params(model=model, params=given)
    with rounding.exactly():
        total = sum((part.quantity for part in used), Decimal(0))
    return rules.compute(model=model, params=parsed, usage=Usage(total, tuple(used)), share=share, currency="EUR")


def exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    with rounding.exactly():
        return sum(amounts, Decimal(0))


@settings(deadline=None)
@given(modified(), st.lists(parts, max_size=5), shares)
def test_steps_add_up_exactly_and_hold_the_whole_quantity(
    priced: tuple[str, Given], used: list[Part], share: Share
) -> None:
    found = price(priced, used, share=share)
    assert exact_sum([step.amount for step in found.steps]) == found.amount_exact
    with rounding.exactly():
        for step in found.steps:
            assert step.quantity * step.unit_price + step.flat_fee == step.amount
    total = exact_sum([part.quantity for part in used])
    assert steps.units_left(found.as_json(), quantity=total) == 0
    assert found.amount_exact >= 0
    assert -found.amount_exact.as_tuple().exponent <= 50  # type: ignore[operator]  # finite, as it was compared


@settings(deadline=None)
@given(modified(), st.lists(parts, max_size=4))
def test_what_is_written_is_the_same_price(priced: tuple[str, Given], used: list[Part]) -> None:
    model, given = priced
    written = params.write_params(params.parse_params(model=model, params=given))
    assert price((model, written), used) == price(priced, used)


@settings(deadline=None)
@given(modified(TOTALS), st.lists(quantities, min_size=1, max_size=5), st.sampled_from(CURRENCIES))
def test_increments_add_up_to_the_whole(priced: tuple[str, Given], reached: list[Decimal], currency: str) -> None:
    model, given = priced
    rule = preview.currency_rounding(currency)
    asked: dict[str, Any] = {"model": model, "params": given, "currency": currency, "rounding_rule": rule}
    found = trial.try_price(**asked, steps=[{"cumulative_units": money.plain(units)} for units in reached])
    whole = trial.try_price(**asked, units=money.plain(reached[-1]))
    assert exact_sum([Decimal(each.increment) for each in found.increments]) == Decimal(whole.amount)
    assert found.amount == whole.amount


@settings(deadline=None)
@given(plain(SPLITTABLE), st.lists(parts, min_size=1, max_size=6), st.integers(0, 6), st.sampled_from(CURRENCIES))
def test_a_split_moves_a_total_by_at_most_one_minor_unit_per_line(
    priced: tuple[str, Given], used: list[Part], cut: int, currency: str
) -> None:
    # Events that together come to nothing bear no fee, so cut off by themselves they are charged otherwise.
    assume(all(any(part.quantity for part in segment) for segment in (used[:cut], used[cut:]) if segment))
    whole = price(priced, used).amount_exact
    segments = [price(priced, segment).amount_exact for segment in (used[:cut], used[cut:])]
    assert exact_sum(segments) == whole
    rounded = exact_sum([money.round_amount(amount, currency=currency) for amount in segments])
    minor = Decimal(1).scaleb(-money.currency_exponent(currency))
    assert abs(rounded - money.round_amount(whole, currency=currency)) <= minor * len(segments)


@settings(deadline=None)
@given(plain(("bucketed",)), st.lists(parts, min_size=1, max_size=6))
def test_buckets_may_be_split_between_them(priced: tuple[str, Given], used: list[Part]) -> None:
    first, rest = ([part for part in used if (part.bucket == "a") is side] for side in (True, False))
    assert (
        exact_sum([price(priced, first).amount_exact, price(priced, rest).amount_exact])
        == price(priced, used).amount_exact
    )


# Model by model, so that each has examples enough to be found out.
@pytest.mark.parametrize("name", MONOTONE)
@given(data=st.data())
def test_more_usage_never_costs_less_where_a_model_is_monotone(name: str, data: st.DataObject) -> None:
    priced, used = data.draw(modified((name,))), data.draw(st.lists(parts, max_size=4))
    assert price(priced, used).amount_exact <= price(priced, [*used, data.draw(parts)]).amount_exact


@pytest.mark.parametrize("name", ["graduated", "graduated_package", "graduated_percentage"])
@given(data=st.data())
def test_nothing_costs_less_beyond_the_end_of_a_tier(name: str, data: st.DataObject) -> None:
    priced, beyond = data.draw(plain((name,))), data.draw(st.decimals("0.000001", 10, places=6))
    for tier in priced[1]["tiers"][:-1]:
        end = Decimal(tier["up_to"])
        with rounding.exactly():
            more = end + beyond
        assert price(priced, [Part(end)]).amount_exact <= price(priced, [Part(more)]).amount_exact


@pytest.mark.parametrize("name", [name for name in MODELS if name != "limited"])
@given(data=st.data())
def test_the_order_of_events_never_matters(name: str, data: st.DataObject) -> None:
    priced, used = data.draw(modified((name,))), data.draw(st.lists(parts, min_size=2, max_size=5))
    assert price(priced, used).amount_exact == price(priced, data.draw(st.permutations(used))).amount_exact


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("pqrs"), st.sampled_from("ab"), min_size=1), min_size=1, max_size=6),
    st.dictionaries(st.sampled_from("pqrs"), st.sampled_from("abc")),
)
def test_the_closest_entry_matches_most_properties_and_is_the_first_of_equals(
    entries: list[dict[str, str]], carried: dict[str, str]
) -> None:
    found = per_unit.index_matches([tuple(sorted(entry.items())) for entry in entries])(
        Part(Decimal(1), properties=tuple(carried.items()))
    )
    matching = [entry for entry in entries if entry.items() <= carried.items()]
    assert found == (tuple(sorted(max(matching, key=len).items())) if matching else None)


def test_the_order_matters_where_the_first_events_are_free() -> None:
    """So the store sorts them, by time and then arrival (tests/stages/test_breakdown.py)."""
    priced = ("percentage", {"rate_percent": "10", "free_events": 1})
    small, large = Part(Decimal(10)), Part(Decimal(1000))
    assert price(priced, [small, large]).amount_exact == 100
    assert price(priced, [large, small]).amount_exact == 1


@settings(deadline=None)
@given(
    st.integers(-(10**9), 10**9),
    st.dictionaries(st.text(max_size=3), st.decimals(0, 1000, places=3), min_size=1, max_size=6),
    st.sampled_from((0, 2, 3, 4)),
)
def test_parts_of_an_amount_add_up_and_miss_their_share_by_less_than_a_unit(
    units: int, weights: dict[str, Decimal], scale: int
) -> None:
    total = exact_sum(list(weights.values()))
    if total:
        amount = Decimal(units).scaleb(-scale)
        found = allocation.allocate(amount, weights=weights, scale=scale)
        assert exact_sum(list(found.values())) == amount
        for key, part in found.items():
            with rounding.exactly():
                assert abs(part * total - amount * weights[key]) < total.scaleb(-scale)


@settings(deadline=None)
@given(st.lists(st.decimals(-1000, 1000, places=6), max_size=8), st.sampled_from((0, 2, 3, 4)))
def test_amounts_rounded_together_are_their_sum_and_each_less_than_a_unit_away(
    exact: list[Decimal], scale: int
) -> None:
    found = allocation.round_together(exact, scale=scale)
    assert exact_sum(found) == rounding.round_to_scale(exact_sum(exact), scale=scale)
    unit = Decimal(1).scaleb(-scale)
    assert all(abs(rounded - amount) < unit for rounded, amount in zip(found, exact, strict=True))


@given(st.integers(0, 10**12), st.sampled_from(CURRENCIES))
def test_a_tie_above_an_even_unit_tells_the_modes_apart(half: int, currency: str) -> None:
    exponent = money.currency_exponent(currency)
    tie = (Decimal(2 * half) + Decimal("0.5")).scaleb(-exponent)
    up = rounding.round_to_scale(tie, scale=exponent)
    assert (
        money.round_amount(tie, currency=currency)
        == up
        != rounding.round_to_scale(tie, scale=exponent, mode="half_even")
    )
