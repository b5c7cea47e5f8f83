"""Graduated and volume prices: a boundary belongs to the tier below it, and the next tier begins right above it.

Stripe, "Tiered pricing" (docs.stripe.com/subscriptions/pricing-models/tiered-pricing); Lago `graduated_service_spec`,
`graduated_percentage_service_spec`.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Generic, NamedTuple, Protocol, TypeVar

from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.params import TieredParams, TieredRateParams
from invoicing.rating.rules.steps import Step


class BeyondLastTierError(InvalidInputError):
    """More units than the tiers go."""

    code = "beyond_last_tier"


class _Tier(Protocol):
    @property
    def up_to(self) -> Decimal | None: ...


T = TypeVar("T", bound=_Tier)


class Band(NamedTuple, Generic[T]):
    """A tier with its place: its number from 1, and the bound below it, which is outside."""

    number: int
    floor: Decimal
    tier: T


def price_graduated(*, params: TieredParams, quantity: Decimal) -> tuple[Step, ...]:
    """Each part of the quantity at the price of its own tier, and the fee of every tier entered."""
    found = split(params.tiers, quantity, zero_usage_policy=params.zero_usage_policy)
    return tuple(_step(band, units, price=band.tier.unit_amount, fee=band.tier.flat_amount) for band, units in found)


def price_volume(*, params: TieredParams, quantity: Decimal) -> tuple[Step, ...]:
    """All units at the price of the tier that the total reaches, plus its fee."""
    reached = quantity if params.tier_selected_on_units is None else params.tier_selected_on_units
    band = reach(params.tiers, reached, zero_usage_policy=params.zero_usage_policy)
    if band is None:
        return ()
    return (_step(band, quantity, price=band.tier.unit_amount, fee=band.tier.flat_amount),)


def price_graduated_rates(*, params: TieredRateParams, quantity: Decimal) -> tuple[Step, ...]:
    """Of each part of the quantity the percentage of its own tier, and the fee of every tier entered."""
    found = split(params.tiers, quantity, zero_usage_policy=params.zero_usage_policy)
    return tuple(
        _step(band, units, price=band.tier.rate_percent.scaleb(-2), fee=band.tier.flat_amount) for band, units in found
    )


def split(tiers: Sequence[T], quantity: Decimal, *, zero_usage_policy: str) -> Iterator[tuple[Band[T], Decimal]]:
    """The tiers that a quantity enters, each with its units; without usage the first or none, as the policy says."""
    if quantity == 0:
        if zero_usage_policy != "no_charge":
            yield Band(1, Decimal(0), tiers[0]), quantity
        return
    _check_covered(tiers, quantity)
    floor = Decimal(0)
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            yield Band(number, floor, tier), quantity - floor
            return
        yield Band(number, floor, tier), tier.up_to - floor
        floor = tier.up_to


def reach(tiers: Sequence[T], quantity: Decimal, *, zero_usage_policy: str) -> Band[T] | None:
    """The tier that a total reaches; None where there is no usage and that is free."""
    if quantity == 0:
        return None if zero_usage_policy == "no_charge" else Band(1, Decimal(0), tiers[0])
    _check_covered(tiers, quantity)
    floor = Decimal(0)
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            return Band(number, floor, tier)
        floor = tier.up_to
    raise AssertionError("tiers that cover the quantity have one for it")


def label(band: Band[T]) -> str:
    """A tier in words; its upper bound is inside, its lower one is not."""
    return _in_words(band.number, band.floor, band.tier.up_to)


@lru_cache(maxsize=10_000)
def _in_words(number: int, floor: Decimal, up_to: Decimal | None) -> str:
    begin = f"above {money.plain(floor)}" if floor else "0"
    if up_to is None:
        return f"Tier {number}: {begin if floor else 'every unit'}"
    return f"Tier {number}: {begin} to {money.plain(up_to)}"


def _check_covered(tiers: Sequence[T], quantity: Decimal) -> None:
    end = tiers[-1].up_to
    if end is not None and quantity > end:
        detail = f"The tiers end at {money.plain(end)} units; {money.plain(quantity)} have no price."
        raise BeyondLastTierError(detail, pointer=f"/params/tiers/{len(tiers) - 1}/up_to")


def _step(band: Band[T], units: Decimal, *, price: Decimal, fee: Decimal) -> Step:
    return Step(
        label=label(band),
        tier=band.number,
        floor=band.floor,
        up_to=band.tier.up_to,
        quantity=units,
        unit_price=price,
        flat_fee=fee,
        amount=units * price + fee,
    )
