"""Graduated and volume prices: a boundary belongs to the tier below it, and the next tier begins right above it.

Stripe, "Tiered pricing" (docs.stripe.com/subscriptions/pricing-models/tiered-pricing); Lago `graduated_service_spec`.
"""

from collections.abc import Iterator
from decimal import Decimal

from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.params import Tier, TieredParams
from invoicing.rating.rules.steps import Step
from invoicing.rating.rules.usage import Usage


class BeyondLastTierError(InvalidInputError):
    """More units than the tiers go."""

    code = "beyond_last_tier"


def price_graduated(*, params: TieredParams, usage: Usage) -> tuple[Step, ...]:
    """Each part of the quantity at the price of its own tier, and the fee of every tier entered."""
    quantity = usage.quantity
    if quantity == 0:
        return _without_usage(params)
    steps = []
    for number, floor, tier in _bands(params):
        if quantity <= floor:
            break
        units = (quantity if tier.up_to is None else min(quantity, tier.up_to)) - floor
        steps.append(_step(number, floor, tier, units=units))
    _check_covered(params, quantity)
    return tuple(steps)


def price_volume(*, params: TieredParams, usage: Usage) -> tuple[Step, ...]:
    """All units at the price of the tier that the total reaches, plus its fee."""
    reached = usage.quantity if params.tier_selected_on_units is None else params.tier_selected_on_units
    if reached == 0:
        return _without_usage(params)
    _check_covered(params, reached)
    for number, floor, tier in _bands(params):
        if tier.up_to is None or reached <= tier.up_to:
            return (_step(number, floor, tier, units=usage.quantity),)
    raise AssertionError("tiers that cover the quantity have one for it")


def _without_usage(params: TieredParams) -> tuple[Step, ...]:
    if params.zero_usage_policy == "no_charge":
        return ()
    number, floor, tier = next(_bands(params))
    return (_step(number, floor, tier, units=Decimal(0)),)


def _bands(params: TieredParams) -> Iterator[tuple[int, Decimal, Tier]]:
    """Number, lower bound (outside) and tier."""
    floor = Decimal(0)
    for number, tier in enumerate(params.tiers, start=1):
        yield number, floor, tier
        floor = floor if tier.up_to is None else tier.up_to


def _check_covered(params: TieredParams, quantity: Decimal) -> None:
    end = params.tiers[-1].up_to
    if end is not None and quantity > end:
        detail = f"The tiers end at {money.plain(end)} units; {money.plain(quantity)} have no price."
        raise BeyondLastTierError(detail, pointer=f"/params/tiers/{len(params.tiers) - 1}/up_to")


def _range(floor: Decimal, up_to: Decimal | None) -> str:
    """The units of a tier in words; its upper bound is inside, its lower one is not."""
    begin = f"above {money.plain(floor)}" if floor else "0"
    if up_to is None:
        return begin if floor else "every unit"
    return f"{begin} to {money.plain(up_to)}"


def _step(number: int, floor: Decimal, tier: Tier, *, units: Decimal) -> Step:
    return Step(
        label=f"Tier {number}: {_range(floor, tier.up_to)}",
        tier=number,
        floor=floor,
        up_to=tier.up_to,
        quantity=units,
        unit_price=tier.unit_amount,
        flat_fee=tier.flat_amount,
        amount=units * tier.unit_amount + tier.flat_amount,
    )
