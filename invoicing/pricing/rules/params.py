"""The parameters of each price model: read strictly into frozen values, and written back in one canonical shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.fields import Fields, Problem

TIERS_MAX = 1000
FILTERS_MAX = 1000
ZERO_USAGE_POLICIES = ("charge_first_tier", "no_charge")  # the first is the rule where nothing is said
PACKAGE_ROUNDINGS = ("up", "down")


class ParamsError(InvalidInputError):
    """Parameters that are no price; every problem is named with its pointer."""

    code = "price_params_invalid"

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.pointer}: {first.detail}{more}", pointer=first.pointer)
        self.found = tuple(problems)

    def problems(self) -> list[dict[str, str]]:
        return [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in self.found]


@dataclass(frozen=True, slots=True)
class FlatParams:
    """A fee for a whole billing period."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class FilterPrice:
    """The unit price of events that carry all of these properties."""

    match: tuple[tuple[str, str], ...]
    unit_amount: Decimal


@dataclass(frozen=True, slots=True)
class StandardParams:
    """One price for each unit; events may have a price of their own by property."""

    unit_amount: Decimal
    filters: tuple[FilterPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """Units above the tier before, up to and with `up_to`; None is without end."""

    up_to: Decimal | None
    unit_amount: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class TieredParams:
    """The tiers of a graduated or volume price."""

    tiers: tuple[Tier, ...]
    zero_usage_policy: str
    tier_selected_on_units: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PackageParams:
    """A price for each begun block of units after the free ones."""

    package_amount: Decimal
    package_size: Decimal
    free_units: Decimal
    rounding_of_packages: str


Params = FlatParams | StandardParams | TieredParams | PackageParams


def parse_params(*, model: str, params: Any, pointer: str = "/params") -> Params:
    """Read parameters in the shape of their model; ParamsError with every problem."""
    problems: list[Problem] = []
    if model not in READERS:
        known = ", ".join(READERS)
        raise ParamsError([Problem("/model", "choice", f"{str(model)[:40]!r} is not a price model; use {known}.")])
    fields = Fields(params, pointer=pointer, problems=problems)
    parsed = READERS[model](fields)
    fields.refuse_unknown()
    if problems:
        raise ParamsError(problems)
    return parsed


def parse_stored_params(*, model: str, params: Any, pointer: str = "/params") -> Params:
    """The same for a price that is to be kept: it must price every quantity, from the quantity alone."""
    parsed = parse_params(model=model, params=params, pointer=pointer)
    problems = []
    if isinstance(parsed, TieredParams) and parsed.tiers[-1].up_to is not None:
        last = f"{pointer}/tiers/{len(parsed.tiers) - 1}/up_to"
        problems.append(
            Problem(last, "open_end", "The last tier must have no end (null), or usage above it has no price.")
        )
    if isinstance(parsed, TieredParams) and parsed.tier_selected_on_units is not None:
        detail = "Belongs to one calculation, not to a price; leave it out."
        problems.append(Problem(f"{pointer}/tier_selected_on_units", "not_storable", detail))
    if isinstance(parsed, StandardParams) and parsed.filters:
        detail = "Usage is measured per meter; make one meter and one charge for each price."
        problems.append(Problem(f"{pointer}/filters", "not_storable", detail))
    if problems:
        raise ParamsError(problems)
    return parsed


def write_params(params: Params) -> dict[str, Any]:
    """The canonical JSON of parameters: every field that says something, numbers as plain decimal strings."""
    match params:
        case FlatParams():
            return {"amount": money.plain(params.amount)}
        case StandardParams():
            return {"unit_amount": money.plain(params.unit_amount)}
        case TieredParams():
            tiers = [_write_tier(tier) for tier in params.tiers]
            return {"tiers": tiers, "zero_usage_policy": params.zero_usage_policy}
        case PackageParams():
            return {
                "package_amount": money.plain(params.package_amount),
                "package_size": money.plain(params.package_size),
                "free_units": money.plain(params.free_units),
                "rounding_of_packages": params.rounding_of_packages,
            }


def _write_tier(tier: Tier) -> dict[str, str | None]:
    return {
        "up_to": None if tier.up_to is None else money.plain(tier.up_to),
        "unit_amount": money.plain(tier.unit_amount),
        "flat_amount": money.plain(tier.flat_amount),
    }


def _read_flat(fields: Fields) -> FlatParams:
    return FlatParams(amount=fields.price("amount"))


def _read_standard(fields: Fields) -> StandardParams:
    unit_amount = fields.price("unit_amount")
    if fields.take("filters") is None:
        return StandardParams(unit_amount)
    return StandardParams(unit_amount, fields.items("filters", count_max=FILTERS_MAX, read=_read_filter))


def _read_filter(fields: Fields) -> FilterPrice:
    unit_amount = fields.price("unit_amount")
    match = []
    for name, value in fields.document.items():
        if name != "unit_amount":
            fields.known.add(name)
            match.append((name, str(value)))
            if not isinstance(value, str):
                fields.report(name, "type", "A filter compares texts.")
    if not match:
        fields.report("", "required", "A filter needs a property to compare.")
    return FilterPrice(tuple(sorted(match)), unit_amount)


def _read_graduated(fields: Fields) -> TieredParams:
    return TieredParams(_read_tiers(fields), fields.choice("zero_usage_policy", options=ZERO_USAGE_POLICIES))


def _read_volume(fields: Fields) -> TieredParams:
    return TieredParams(
        _read_tiers(fields),
        fields.choice("zero_usage_policy", options=ZERO_USAGE_POLICIES),
        fields.quantity_or_none("tier_selected_on_units"),
    )


def _read_tiers(fields: Fields) -> tuple[Tier, ...]:
    tiers: tuple[Tier, ...] = fields.items("tiers", count_max=TIERS_MAX, read=_read_tier)
    if fields.problems:
        return tiers  # bounds that could not be read have no order
    for index, (tier, following) in enumerate(pairwise(tiers)):
        if tier.up_to is None:
            fields.report_at(f"tiers/{index}/up_to", "open_end", "Only the last tier may have no end (null).")
        elif following.up_to is not None and following.up_to <= tier.up_to:
            detail = f"Must be more than the tier before ({money.plain(tier.up_to)})."
            fields.report_at(f"tiers/{index + 1}/up_to", "order", detail)
    return tiers


def _read_tier(fields: Fields) -> Tier:
    if "up_to" not in fields.document:
        fields.report("up_to", "required", "This field is needed; null in the last tier.")
    up_to = None if fields.take("up_to") is None else fields.size("up_to")
    return Tier(up_to, fields.price("unit_amount"), fields.price("flat_amount", default=Decimal(0)))


def _read_package(fields: Fields) -> PackageParams:
    return PackageParams(
        package_amount=fields.price("package_amount"),
        package_size=fields.size("package_size"),
        free_units=fields.quantity("free_units", default=Decimal(0)),
        rounding_of_packages=fields.choice("rounding_of_packages", options=PACKAGE_ROUNDINGS),
    )


READERS: Mapping[str, Callable[[Fields], Params]] = {
    "flat": _read_flat,
    "standard": _read_standard,
    "graduated": _read_graduated,
    "volume": _read_volume,
    "package": _read_package,
}
