"""Blocks of units: every begun block costs the whole price (Lago `package_service_spec`, OpenMeter `rate`)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core import money, rounding
from invoicing.pricing.rules.params import PackageParams
from invoicing.rating.rules.steps import Step
from invoicing.rating.rules.usage import Usage

_ROUNDINGS = {"up": ROUND_CEILING, "down": ROUND_FLOOR}


def price_packages(*, params: PackageParams, usage: Usage) -> tuple[Step, ...]:
    """ceil((units − free) / size) × price, never below 0."""
    charged = max(usage.quantity - params.free_units, Decimal(0))
    packages = _count(charged, size=params.package_size, mode=_ROUNDINGS[params.rounding_of_packages])
    free = f", {money.plain(params.free_units)} free" if params.free_units else ""
    return (
        Step(
            label=f"Packages of {money.plain(params.package_size)}{free}",
            quantity=packages,
            unit_price=params.package_amount,
            amount=packages * params.package_amount,
        ),
    )


def _count(charged: Decimal, *, size: Decimal, mode: str) -> Decimal:
    # Integer division first: a rounded quotient could hide the last fraction that begins a package.
    whole, rest = rounding.PRECISION.divmod(charged, size)
    return whole + 1 if rest and mode == ROUND_CEILING else whole
