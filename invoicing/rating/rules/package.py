"""Blocks of units: every begun block costs the whole price (Lago `package_service_spec`, OpenMeter `rate`).

In tiers, blocks are rounded inside each tier (Kill Bill `TestContiguousIntervalConsumableInArrear`).
"""

from decimal import Decimal

from core import money, rounding
from invoicing.pricing.rules.params import PackageParams, TieredPackageParams
from invoicing.pricing.rules.params_tiers import PackageTier
from invoicing.rating.rules import tiers
from invoicing.rating.rules.steps import Step
from invoicing.rating.rules.tiers import Band


def price_packages(*, params: PackageParams, quantity: Decimal) -> tuple[Step, ...]:
    """ceil((units − free) / size) × price, never below 0."""
    charged = max(quantity - params.free_units, Decimal(0))
    packages = _count(charged, size=params.package_size, mode=params.rounding_of_packages)
    free = f", {money.plain(params.free_units)} free" if params.free_units else ""
    return (
        Step(
            label=f"Packages of {money.plain(params.package_size)}{free}",
            quantity=packages,
            units=quantity,
            unit_price=params.package_amount,
            amount=packages * params.package_amount,
        ),
    )


def price_graduated_packages(*, params: TieredPackageParams, quantity: Decimal) -> tuple[Step, ...]:
    """The blocks of each part of the quantity at the price of its own tier, and the fee of every tier entered."""
    found = tiers.split(params.tiers, quantity, zero_usage_policy=params.zero_usage_policy)
    return tuple(_step(band, units, mode=params.rounding_of_packages) for band, units in found)


def price_volume_packages(*, params: TieredPackageParams, quantity: Decimal) -> tuple[Step, ...]:
    """The blocks of all units at the price of the tier that the total reaches, plus its fee."""
    band = tiers.reach(params.tiers, quantity, zero_usage_policy=params.zero_usage_policy)
    return () if band is None else (_step(band, quantity, mode=params.rounding_of_packages),)


def _step(band: Band[PackageTier], units: Decimal, *, mode: str) -> Step:
    tier = band.tier
    packages = _count(units, size=tier.package_size, mode=mode)
    return Step(
        label=f"{tiers.label(band)}, packages of {money.plain(tier.package_size)}",
        tier=band.number,
        floor=band.floor,
        up_to=tier.up_to,
        quantity=packages,
        units=units,
        unit_price=tier.package_amount,
        flat_fee=tier.flat_amount,
        amount=packages * tier.package_amount + tier.flat_amount,
    )


def _count(charged: Decimal, *, size: Decimal, mode: str) -> Decimal:
    # Integer division first: a rounded quotient could hide the last fraction that begins a package.
    whole, rest = rounding.PRECISION.divmod(charged, size)
    return whole + 1 if rest and mode == "up" else whole
