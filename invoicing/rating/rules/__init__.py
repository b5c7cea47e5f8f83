"""What a quantity costs under a price: plain values in, an exact amount with its steps out."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules.params import Params
from invoicing.rating.rules import package, per_unit, proration, tiers
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation, Step


class AmountTooLargeError(InvalidInputError):
    """An amount beyond what an invoice can hold; a price or a quantity is wrong by orders of magnitude."""

    code = "amount_too_large"


# One family per module; each takes the parameters of its own model, as `params.READERS` made them.
USAGE_MODELS: Mapping[str, Callable[..., tuple[Step, ...]]] = {
    "standard": per_unit.price_units,
    "graduated": tiers.price_graduated,
    "volume": tiers.price_volume,
    "package": package.price_packages,
}
FEE_MODELS: Mapping[str, Callable[..., tuple[Step, ...]]] = {"flat": proration.price_flat}


def compute(*, model: str, params: Params, quantity: Decimal, share: Share = WHOLE) -> Computation:
    """The exact amount of `quantity` units, or of a `share` of a fee; what corrections leave below 0 counts as 0."""
    with rounding.exactly():
        if model in FEE_MODELS:
            return add_up(FEE_MODELS[model](params=params, share=share))
        steps = USAGE_MODELS[model](params=params, quantity=max(quantity, Decimal(0)))
        return add_up(steps if quantity >= 0 else (_below_zero(quantity), *steps))


def compute_events(*, params: Any, events: Sequence[Mapping[str, Any]]) -> Computation:
    """The exact amount of events that each have a price of their own by property."""
    with rounding.exactly():
        return add_up(per_unit.price_events(params=params, events=events))


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
