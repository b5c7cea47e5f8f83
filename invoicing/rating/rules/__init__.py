"""What usage costs under a price: plain values in, an exact amount with its steps out."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules.params import Params
from invoicing.rating.rules import package, per_unit, proration, tiers
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation, Step
from invoicing.rating.rules.usage import Breakdown, Usage


class AmountTooLargeError(InvalidInputError):
    """An amount beyond what an invoice can hold; a price or a quantity is wrong by orders of magnitude."""

    code = "amount_too_large"


class PartsMissingError(ValueError):
    """Usage came as a bare quantity where the price asks for its parts; the caller did not ask `breakdown_of`."""


# One family per module; each takes the parameters of its own model, as `params.READERS` made them.
USAGE_MODELS: Mapping[str, Callable[..., tuple[Step, ...]]] = {
    "standard": per_unit.price_units,
    "graduated": tiers.price_graduated,
    "volume": tiers.price_volume,
    "package": package.price_packages,
}
FEE_MODELS: Mapping[str, Callable[..., tuple[Step, ...]]] = {"flat": proration.price_flat}
# Models that look closer than at the quantity, or that do where their parameters say so.
BREAKDOWNS: Mapping[str, Callable[[Any], Breakdown | None]] = {"standard": per_unit.breakdown}


def compute(*, model: str, params: Params, usage: Usage, share: Share = WHOLE) -> Computation:
    """The exact amount of this usage, or of a `share` of a fee; what corrections leave below 0 counts as 0.

    `usage` holds the parts that `breakdown_of` asks for; PartsMissingError where there is a quantity without them.
    """
    with rounding.exactly():
        if model in FEE_MODELS:
            return add_up(FEE_MODELS[model](params=params, share=share))
        if breakdown_of(model=model, params=params) is not None:
            if usage.quantity and not usage.parts:
                raise PartsMissingError(f"a {model} price needs the parts of its usage")
            return add_up(USAGE_MODELS[model](params=params, usage=usage))
        steps = USAGE_MODELS[model](params=params, usage=Usage(max(usage.quantity, Decimal(0))))
        return add_up(steps if usage.quantity >= 0 else (_below_zero(usage.quantity), *steps))


def breakdown_of(*, model: str, params: Params) -> Breakdown | None:
    """The parts that this price needs beside the quantity; None where the quantity is enough."""
    return BREAKDOWNS[model](params) if model in BREAKDOWNS else None


def add_up(steps: tuple[Step, ...]) -> Computation:
    amount = sum((step.amount for step in steps), Decimal(0))
    if not abs(amount) <= money.AMOUNT_MAX:
        raise AmountTooLargeError(
            f"The amount {amount:.4E} is more than an invoice can hold; check price and quantity."
        )
    return Computation(amount, steps)


def _below_zero(quantity: Decimal) -> Step:
    return Step(
        label="Corrections exceed usage: charged as 0", quantity=quantity, unit_price=Decimal(0), amount=Decimal(0)
    )
