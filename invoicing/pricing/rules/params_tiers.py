"""Parameters of prices in tiers: per unit, per package inside a tier, and percentages."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from core import money
from invoicing.pricing.rules.fields import Fields
from invoicing.pricing.rules.modifiers import Modified
from invoicing.pricing.rules.params_units import PACKAGE_ROUNDINGS

TIERS_MAX = 1000
ZERO_USAGE_POLICIES = ("charge_first_tier", "no_charge")  # the first is the rule where nothing is said


@dataclass(frozen=True, slots=True)
class Tier:
    """Units above the tier before, up to and with `up_to`; None is without end."""

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal

    def as_json(self) -> dict[str, str | None]:
        return {
            "up_to": _write_end(self.up_to),
            "unit_amount": money.plain(self.unit_amount),
            "flat_amount": money.plain(self.flat_amount),
        }


@dataclass(frozen=True, slots=True)
class PackageTier:
    """A tier whose units are sold in blocks."""

    up_to: Decimal | None
    package_size: Decimal
    package_amount: Decimal
    flat_amount: Decimal

    def as_json(self) -> dict[str, str | None]:
        return {
            "up_to": _write_end(self.up_to),
            "package_size": money.plain(self.package_size),
            "package_amount": money.plain(self.package_amount),
            "flat_amount": money.plain(self.flat_amount),
        }


@dataclass(frozen=True, slots=True)
class RateTier:
    """A tier whose units are worth money, of which it takes a percentage."""

    up_to: Decimal | None
    rate_percent: Decimal
    flat_amount: Decimal

    def as_json(self) -> dict[str, str | None]:
        return {
            "up_to": _write_end(self.up_to),
            "rate_percent": money.plain(self.rate_percent),
            "flat_amount": money.plain(self.flat_amount),
        }


@dataclass(frozen=True, slots=True)
class TieredParams(Modified):
    """The tiers of a graduated or volume price."""

    tiers: tuple[Tier, ...]
    zero_usage_policy: str
    tier_selected_on_units: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        return _write_tiers(self.tiers, self.zero_usage_policy)


@dataclass(frozen=True, slots=True)
class TieredPackageParams(Modified):
    """The tiers of a graduated or volume price in packages."""

    tiers: tuple[PackageTier, ...]
    zero_usage_policy: str
    rounding_of_packages: str

    def as_json(self) -> dict[str, Any]:
        written = _write_tiers(self.tiers, self.zero_usage_policy)
        return {**written, "rounding_of_packages": self.rounding_of_packages}


@dataclass(frozen=True, slots=True)
class TieredRateParams(Modified):
    """The tiers of a graduated percentage."""

    tiers: tuple[RateTier, ...]
    zero_usage_policy: str

    def as_json(self) -> dict[str, Any]:
        return _write_tiers(self.tiers, self.zero_usage_policy)


AnyTier = Tier | PackageTier | RateTier


def read_graduated(fields: Fields) -> TieredParams:
    return TieredParams(_read_tiers(fields, _read_tier), _read_policy(fields))


def read_volume(fields: Fields) -> TieredParams:
    tiers, policy = _read_tiers(fields, _read_tier), _read_policy(fields)
    return TieredParams(tiers, policy, fields.quantity_or_none("tier_selected_on_units"))


def read_tiered_package(fields: Fields) -> TieredPackageParams:
    tiers, policy = _read_tiers(fields, _read_package_tier), _read_policy(fields)
    return TieredPackageParams(tiers, policy, fields.choice("rounding_of_packages", options=PACKAGE_ROUNDINGS))


def read_graduated_percentage(fields: Fields) -> TieredRateParams:
    return TieredRateParams(_read_tiers(fields, _read_rate_tier), _read_policy(fields))


def _read_policy(fields: Fields) -> str:
    return fields.choice("zero_usage_policy", options=ZERO_USAGE_POLICIES)


def _read_tiers(fields: Fields, read: Callable[[Fields], Any]) -> tuple[Any, ...]:
    before = len(fields.problems)
    tiers: tuple[AnyTier, ...] = fields.items("tiers", count_max=TIERS_MAX, read=read)
    if len(fields.problems) > before:
        return tiers  # bounds that could not be read have no order
    for index, (tier, following) in enumerate(pairwise(tiers)):
        if tier.up_to is None:
            fields.report_at(f"tiers/{index}/up_to", "open_end", "Only the last tier may have no end (null).")
        elif following.up_to is not None and following.up_to <= tier.up_to:
            detail = f"Must be more than the tier before ({money.plain(tier.up_to)})."
            fields.report_at(f"tiers/{index + 1}/up_to", "order", detail)
    return tiers


def _read_tier(fields: Fields) -> Tier:
    return Tier(_read_end(fields), fields.price("unit_amount"), _read_fee(fields))


def _read_package_tier(fields: Fields) -> PackageTier:
    return PackageTier(
        _read_end(fields), fields.size("package_size"), fields.price("package_amount"), _read_fee(fields)
    )


def _read_rate_tier(fields: Fields) -> RateTier:
    return RateTier(_read_end(fields), fields.rate("rate_percent"), _read_fee(fields))


def _read_end(fields: Fields) -> Decimal | None:
    if "up_to" not in fields.document:
        fields.report("up_to", "required", "This field is needed; null in the last tier.")
    return None if fields.take("up_to") is None else fields.size("up_to")


def _read_fee(fields: Fields) -> Decimal:
    return fields.price("flat_amount", default=Decimal(0))


def _write_end(up_to: Decimal | None) -> str | None:
    return None if up_to is None else money.plain(up_to)


def _write_tiers(tiers: tuple[Any, ...], policy: str) -> dict[str, Any]:
    return {"tiers": [tier.as_json() for tier in tiers], "zero_usage_policy": policy}
