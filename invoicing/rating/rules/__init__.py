"""What usage costs under a price: plain values in, an exact amount with its steps out."""

from collections.abc import Sequence

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules.fee_terms import FeeTableMissingError
from invoicing.pricing.rules.params import FlatParams, Params, modifiers_of
from invoicing.rating.rules import modify, plan, proration
from invoicing.rating.rules.catalogue import PartsMissingError, Terms, breakdown_of, price_usage
from invoicing.rating.rules.fee_usage import AmountUnreadableError, PricedProgram
from invoicing.rating.rules.plan import PlanLine
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation, Step, shorten, total
from invoicing.rating.rules.usage import Usage

__all__ = [
    "UNPRICEABLE",
    "AmountTooLargeError",
    "PartsMissingError",
    "PlanLine",
    "breakdown_of",
    "compute",
    "compute_counted",
    "compute_plan",
]


class AmountTooLargeError(InvalidInputError):
    """An amount beyond what an invoice can hold; a price or a quantity is wrong by orders of magnitude."""

    code = "amount_too_large"


# What a price or usage can be at fault for; whoever rates many reports it and goes on.
UNPRICEABLE = (AmountTooLargeError, AmountUnreadableError, FeeTableMissingError)


def compute(
    *, model: str, params: Params | PricedProgram, usage: Usage, share: Share = WHOLE, currency: str = ""
) -> Computation:
    """The exact amount of this usage, or of a fee; what corrections leave below 0 counts as 0.

    `usage` holds the parts that `breakdown_of` asks for; PartsMissingError where there is a quantity without them.
    `share` matters to fees, and where `params.follows_share`; `currency` where events carry minor units.
    """
    with rounding.exactly():
        if isinstance(params, FlatParams):
            steps = proration.price_flat(params=params, share=share, quantity=usage.quantity)
            steps += tuple(modify.adjust_amount(modifiers_of(params), total(steps), share=share))
            return add_up(steps)
        return add_up(price_usage(model, params, usage, Terms(share, currency)))


def compute_counted(
    *, model: str, params: Params | PricedProgram, usage: Usage, share: Share = WHOLE, currency: str = ""
) -> Computation:
    """A charge for an agreed number, such as seats: a fee for each, or a share of what a price asks for them.

    Tiers are picked by the whole number, and what they cost is prorated (Lago, volume charges prorated).
    """
    if isinstance(params, FlatParams):
        return compute(model=model, params=params, usage=usage, share=share, currency=currency)
    with rounding.exactly():
        steps = price_usage(model, params, usage, Terms(WHOLE, currency))
        return add_up(proration.share_of_steps(steps, share=share))


def compute_plan(
    *, model: str, params: Params | PricedProgram, lines: Sequence[PlanLine], currency: str, share: Share = WHOLE
) -> Computation:
    """What a charge of a whole plan comes to, from the plan's other lines in the period; see `plan.ORDER`."""
    with rounding.exactly():
        return add_up(plan.PRICES[model](params, lines, Terms(share, currency)))


def add_up(steps: tuple[Step, ...]) -> Computation:
    amount = total(steps)
    if not abs(amount) <= money.AMOUNT_MAX:
        raise AmountTooLargeError(
            f"The amount {amount:.4E} is more than an invoice can hold; check price and quantity."
        )
    return Computation(amount, shorten(steps))
