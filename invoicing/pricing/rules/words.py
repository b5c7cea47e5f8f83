"""A price as a person reads it: one sentence, or one for each tier."""

from decimal import Decimal

from core import money
from invoicing.pricing.rules.params import FlatParams, PackageParams, Params, StandardParams, Tier

LINES_MAX = 12  # a page shows the first tiers of a long table; the parameters hold them all


def price_in_words(params: Params, *, currency: str, unit: str) -> list[str]:
    """What it charges, in the plan's currency and the meter's unit."""
    match params:
        case FlatParams():
            return [f"{_price(params.amount, currency)} per period"]
        case StandardParams():
            return [f"{_price(params.unit_amount, currency)} per {unit}"]
        case PackageParams():
            free = f", the first {money.plain(params.free_units)} free" if params.free_units else ""
            size, price = money.plain(params.package_size), _price(params.package_amount, currency)
            return [f"{price} per {size} {unit}{free}"]
    floors = [Decimal(0), *(tier.up_to for tier in params.tiers if tier.up_to is not None)]
    lines = [
        _tier(tier, floor=floor, currency=currency, unit=unit)
        for tier, floor in zip(params.tiers, floors, strict=False)
    ]
    hidden = len(lines) - LINES_MAX
    return lines if hidden <= 0 else [*lines[:LINES_MAX], f"and {hidden} more tiers"]


def _tier(tier: Tier, *, floor: Decimal, currency: str, unit: str) -> str:
    band = f"above {money.plain(floor)}" if tier.up_to is None else f"{money.plain(floor)} to {money.plain(tier.up_to)}"
    fee = f" plus {_price(tier.flat_amount, currency)}" if tier.flat_amount else ""
    return f"{band}: {_price(tier.unit_amount, currency)} per {unit}{fee}"


def _price(amount: Decimal, currency: str) -> str:
    """At least the currency's decimals, and every further one that a unit price has."""
    rounded = money.amount_text(amount, currency=currency)
    return f"{rounded if Decimal(rounded) == amount else money.plain(amount)} {currency}"
