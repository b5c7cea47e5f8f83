"""Parameters of prices around another price: one for each time bucket, one for each combination of properties."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from invoicing.pricing.rules import params_events, params_tiers, params_units
from invoicing.pricing.rules.fields import Fields
from invoicing.pricing.rules.modifiers import (
    DISCOUNT,
    LIMITS,
    QUANTITY,
    UNITS,
    Modified,
    read_modifiers,
    refuse_others,
    write_modifiers,
)
from invoicing.pricing.rules.params_events import DynamicParams, PercentageParams
from invoicing.pricing.rules.params_units import FlatParams, Match, StandardParams

Width = Literal["minute", "hour", "day", "month"]
Zone = Literal["customer", "UTC"]

PRICES_MAX = 1000
PROPERTIES_MAX = 10
WIDTHS = ("hour", "minute", "day", "month")
ZONES = ("customer", "UTC")  # the first is the rule where nothing is said

# What may stand inside: prices of a total.
BUCKETABLE: Mapping[str, Callable[[Fields], Modified]] = {
    "standard": params_units.read_standard,
    "graduated": params_tiers.read_graduated,
    "volume": params_tiers.read_volume,
    "package": params_units.read_package,
    "graduated_package": params_tiers.read_tiered_package,
    "volume_package": params_tiers.read_tiered_package,
    "graduated_percentage": params_tiers.read_graduated_percentage,
}
DIMENSIONABLE = {**BUCKETABLE, "percentage": params_events.read_percentage}


@dataclass(frozen=True, slots=True)
class BucketedParams(Modified):
    """Each time bucket is priced by the inner model, as if it were all the usage there is."""

    inner: str
    params: Modified
    bucket: Width | None
    bucket_zone: Zone

    def as_json(self) -> dict[str, Any]:
        written = {"inner": self.inner, **write_inner(self.params)}
        written.pop("partial_period", None)  # what is included in a bucket has nothing to do with the period
        return written | {"bucket": self.bucket, "bucket_zone": self.bucket_zone}


@dataclass(frozen=True, slots=True)
class DimensionPrice:
    """The price of what carries all of these properties."""

    match: Match
    params: Modified

    def as_json(self) -> dict[str, Any]:
        return {"match": dict(self.match), "params": write_inner(self.params)}


@dataclass(frozen=True, slots=True)
class DimensionalParams(Modified):
    """A price of the inner model for each combination of properties; the default for all others."""

    inner: str
    prices: tuple[DimensionPrice, ...]
    default: Modified

    def as_json(self) -> dict[str, Any]:
        prices = [price.as_json() for price in self.prices]
        return {"inner": self.inner, "prices": prices, "default": write_inner(self.default)}


def read_modified(fields: Fields, read: Callable[[Fields], Any]) -> Any:
    """Parameters together with the modifiers that their model takes."""
    parsed = read(fields)
    if not isinstance(parsed, Modified):
        return parsed
    kinds = _kinds(parsed)
    refuse_others(fields, kinds=kinds)
    return replace(parsed, modifiers=read_modifiers(fields, kinds=kinds))


def write_inner(params: Any) -> dict[str, Any]:
    """Parameters with their modifiers, in one object."""
    return {**params.as_json(), **write_modifiers(params.modifiers)}


def read_bucketed(fields: Fields) -> BucketedParams:
    inner = fields.choice("inner", options=tuple(BUCKETABLE))
    params = BUCKETABLE[inner](fields)
    if isinstance(params, StandardParams) and params.filters:
        fields.report("filters", "nested", "A bucket has one price; prices by property go with a price of the total.")
    params = replace(params, modifiers=read_modifiers(fields, kinds=(UNITS, QUANTITY)))
    bucket = None if fields.take("bucket") is None else fields.choice("bucket", options=WIDTHS)
    zone = fields.choice("bucket_zone", options=ZONES)
    return BucketedParams(inner, params, cast("Width | None", bucket), cast("Zone", zone))


def read_dimensional(fields: Fields) -> DimensionalParams:
    inner = fields.choice("inner", options=tuple(DIMENSIONABLE))

    def read_entry(entry: Fields) -> DimensionPrice:
        return DimensionPrice(_read_match(entry), _read_inside(entry, "params", inner))

    prices: tuple[DimensionPrice, ...] = fields.items("prices", count_max=PRICES_MAX, read=read_entry)
    params_units.refuse_doubles(fields, "prices", [price.match for price in prices])
    if len({name for price in prices for name, _ in price.match}) > PROPERTIES_MAX:
        fields.report("prices", "length", f"At most {PROPERTIES_MAX} properties can be compared.")
    return DimensionalParams(inner, prices, _read_inside(fields, "default", inner))


def _read_match(entry: Fields) -> Match:
    inside = entry.inside("match")
    return params_units.read_match(inside)


def _read_inside(fields: Fields, name: str, inner: str) -> Modified:
    inside = fields.inside(name)
    params: Modified = read_modified(inside, DIMENSIONABLE[inner])
    inside.refuse_unknown()
    if isinstance(params, StandardParams) and params.filters:
        inside.report("filters", "nested", "Put these prices among the others, with all their properties.")
    if isinstance(params, PercentageParams) and params.looks_at_events:
        detail = "Free parts and limits per transaction look at single events; inside, only rate and fixed fee do."
        inside.report("", "nested", detail)
    return params


def _kinds(params: Modified) -> tuple[str, ...]:
    """The modifiers that a model takes. Included units need one total that they are taken from."""
    match params:
        case FlatParams():
            return (DISCOUNT,)
        case DynamicParams() | BucketedParams() | DimensionalParams():
            return (DISCOUNT, LIMITS)
        case PercentageParams() | StandardParams(filters=(_, *_)):
            return (UNITS, DISCOUNT, LIMITS)
    return (UNITS, QUANTITY, DISCOUNT, LIMITS)
