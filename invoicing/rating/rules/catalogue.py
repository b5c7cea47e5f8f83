"""Which function prices which model, and what comes before it: corrections, units, what is included."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from core.errors import InvalidInputError
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.modifiers import NONE, Modifiers
from invoicing.rating.rules import dynamic, fee_usage, modify, nested, package, per_unit, percentage, tiers
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Step, below_zero, merge, total
from invoicing.rating.rules.usage import Breakdown, Part, Usage


class PartsMissingError(ValueError):
    """Usage came as a bare quantity where the price asks for its parts; the caller did not ask `breakdown_of`."""


class FiguresMissingError(InvalidInputError):
    """A fee program without the version in force; it is tried where its versions are."""

    code = "fee_figures_missing"


class Terms(NamedTuple):
    """What a price must know beside the usage: which share of its period this is, and in which money."""

    share: Share = WHOLE
    currency: str = ""


# Prices of a quantity.
TOTALS: Mapping[str, Callable[..., tuple[Step, ...]]] = {
    "standard": per_unit.price_units,
    "graduated": tiers.price_graduated,
    "volume": tiers.price_volume,
    "package": package.price_packages,
    "graduated_package": package.price_graduated_packages,
    "volume_package": package.price_volume_packages,
    "percentage": percentage.price_rate,
    "graduated_percentage": tiers.price_graduated_rates,
    "dynamic": dynamic.price_measured,
}
# The parts that a model asks for, always or where its parameters say so.
BREAKDOWNS: Mapping[str, Callable[[Any], Breakdown | None]] = {
    "standard": per_unit.breakdown,
    "percentage": percentage.breakdown,
    "dynamic": dynamic.breakdown,
    "bucketed": nested.buckets_needed,
    "dimensional": nested.dimensions_needed,
    "fee_program": fee_usage.breakdown,
}


def breakdown_of(*, model: str, params: Any) -> Breakdown | None:
    """The parts that this price needs beside the quantity; None where the quantity is enough."""
    return BREAKDOWNS[model](params) if model in BREAKDOWNS else None


def price_usage(model: str, params: Any, usage: Usage, terms: Terms) -> tuple[Step, ...]:
    """The steps of a price with all its modifiers."""
    if isinstance(params, FeeProgramParams):
        detail = f"The figures of {params.program} stand in its versions; try it on the page of the program."
        raise FiguresMissingError(detail, pointer="/model")
    if breakdown_of(model=model, params=params) is None:
        steps = _price_total(model, params, usage.quantity, terms)
    elif usage.quantity and not usage.parts:
        raise PartsMissingError(f"a {model} price needs the parts of its usage")
    elif isinstance(params, PricedProgram):
        return fee_usage.price_program(params=params, usage=usage)
    else:
        steps = _price_parts(model, params, usage.parts, terms)
    if params.modifiers is NONE:
        return steps
    return (*steps, *modify.adjust_amount(params.modifiers, total(steps), share=terms.share))


def _price_total(model: str, params: Any, quantity: Decimal, terms: Terms) -> tuple[Step, ...]:
    before: tuple[Step, ...] = ()
    if quantity < 0:
        before, quantity = (below_zero(quantity),), Decimal(0)
    if params.modifiers is NONE:
        return (*before, *TOTALS[model](params=params, quantity=quantity))
    modifiers: Modifiers = params.modifiers
    converted, quantity = modify.convert_units(modifiers, quantity)
    included, quantity = modify.take_included(modifiers, quantity, share=terms.share)
    priced = modify.price_committed(
        modifiers, quantity, price=lambda units: TOTALS[model](params=params, quantity=units), share=terms.share
    )
    return (*before, *converted, *included, *priced)


def _price_parts(model: str, params: Any, given: Iterable[Part], terms: Terms) -> tuple[Step, ...]:
    converted, given = _convert_parts(params.modifiers, given)
    if model == "percentage":
        return (*converted, *percentage.price_events(params=params, parts=given))
    parts = tuple(given)
    match model:
        case "standard":
            steps = per_unit.price_by_property(params=params, parts=parts)
        case "dynamic":
            steps = dynamic.price_carried(params=params, parts=parts, currency=terms.currency)
        case "bucketed":
            steps = nested.price_buckets(params=params, parts=parts, price=_inside(Terms(WHOLE, terms.currency)))
        case _:
            steps = nested.price_dimensions(params=params, parts=parts, price=_inside(terms))
    return (*converted, *steps)


def _inside(terms: Terms) -> nested.PriceInner:
    return lambda model, params, usage: price_usage(model, params, usage, terms)


def _convert_parts(modifiers: Modifiers, parts: Iterable[Part]) -> tuple[tuple[Step, ...], Iterable[Part]]:
    """Units are converted and rounded where they are priced: each part by itself."""
    if modifiers.unit_conversion is None and modifiers.unit_rounding is None:
        return (), parts
    steps: list[Step] = []
    found = []
    for part in parts:
        taken, quantity = modify.convert_units(modifiers, part.quantity)
        steps += taken
        found.append(replace(part, quantity=quantity))
    return merge(steps), tuple(found)
