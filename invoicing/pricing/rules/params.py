"""The parameters of each price model: read strictly into frozen values, and written back in one canonical shape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import InvalidInputError
from invoicing.pricing.rules import fee_params, params_events, params_nested, params_plan, params_tiers, params_units
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fields import Fields, Problem
from invoicing.pricing.rules.modifiers import NONE, Modified, Modifiers, write_modifiers
from invoicing.pricing.rules.params_events import DynamicParams, PercentageParams
from invoicing.pricing.rules.params_nested import BucketedParams, DimensionalParams
from invoicing.pricing.rules.params_plan import CreditParams, PlanCommitmentParams, PlanDiscountParams
from invoicing.pricing.rules.params_tiers import Tier, TieredPackageParams, TieredParams, TieredRateParams
from invoicing.pricing.rules.params_units import FilterPrice, FlatParams, PackageParams, StandardParams

__all__ = [
    "FEE_MODELS",
    "PLAN_MODELS",
    "READERS",
    "BucketedParams",
    "CreditParams",
    "DimensionalParams",
    "DynamicParams",
    "FeeProgramParams",
    "FilterPrice",
    "FlatParams",
    "PackageParams",
    "Params",
    "ParamsError",
    "PercentageParams",
    "PlanCommitmentParams",
    "PlanDiscountParams",
    "StandardParams",
    "Tier",
    "TieredPackageParams",
    "TieredParams",
    "TieredRateParams",
    "follows_share",
    "modifiers_of",
    "parse_params",
    "parse_stored_params",
    "write_params",
]


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


UsageParams = (
    StandardParams
    | TieredParams
    | TieredPackageParams
    | TieredRateParams
    | PackageParams
    | PercentageParams
    | DynamicParams
    | BucketedParams
    | DimensionalParams
    | FeeProgramParams
)
PlanParams = PlanCommitmentParams | PlanDiscountParams | CreditParams
Params = FlatParams | UsageParams | PlanParams

READERS: Mapping[str, Callable[[Fields], Params]] = {
    "flat": params_units.read_flat,
    "standard": params_units.read_standard,
    "graduated": params_tiers.read_graduated,
    "volume": params_tiers.read_volume,
    "package": params_units.read_package,
    "graduated_package": params_tiers.read_tiered_package,
    "volume_package": params_tiers.read_tiered_package,
    "percentage": params_events.read_percentage,
    "graduated_percentage": params_tiers.read_graduated_percentage,
    "dynamic": params_events.read_dynamic,
    "bucketed": params_nested.read_bucketed,
    "dimensional": params_nested.read_dimensional,
    "fee_program": fee_params.read_fee_program,
    "commitment": params_plan.read_commitment,
    "plan_discount": params_plan.read_plan_discount,
    "prepaid_credits": params_plan.read_credits,
}
FEE_MODELS = frozenset({"flat"})  # charged for time
PLAN_MODELS = frozenset({"commitment", "plan_discount", "prepaid_credits"})  # rate the plan's other lines


def parse_params(*, model: str, params: Any, pointer: str = "/params") -> Params:
    """Read parameters in the shape of their model; ParamsError with every problem."""
    problems: list[Problem] = []
    if model not in READERS:
        known = ", ".join(READERS)
        raise ParamsError([Problem("/model", "choice", f"{str(model)[:40]!r} is not a price model; use {known}.")])
    fields = Fields(params, pointer=pointer, problems=problems)
    parsed: Params = params_nested.read_modified(fields, READERS[model])
    fields.refuse_unknown()
    if problems:
        raise ParamsError(problems)
    return parsed


def parse_stored_params(*, model: str, params: Any, pointer: str = "/params") -> Params:
    """The same for a price that is to be kept: it must price every usage that its meter can measure."""
    parsed = parse_params(model=model, params=params, pointer=pointer)
    problems = list(_problems_of_keeping(parsed, pointer))
    if problems:
        raise ParamsError(problems)
    return parsed


def write_params(params: Params) -> dict[str, Any]:
    """The canonical JSON of parameters: every field that says something, numbers as plain decimal strings."""
    return {**params.as_json(), **write_modifiers(modifiers_of(params))}


def modifiers_of(params: Any) -> Modifiers:
    """What a price does to units and amount around its model; nothing for prices of a whole plan."""
    return params.modifiers if isinstance(params, Modified) else NONE


def follows_share(params: Params) -> bool:
    """Whether a part of a period gets only its share of a fee, of included units, of a minimum or a maximum."""
    match params:
        case FlatParams():
            return True
        case PlanCommitmentParams():
            return params.limits.follows_share
        case DimensionalParams():
            inside = [params.default, *(price.params for price in params.prices)]
            return any(each.modifiers.follows_share for each in (params, *inside))
    return modifiers_of(params).follows_share


def _problems_of_keeping(params: Any, pointer: str) -> Iterator[Problem]:
    match params:
        case TieredParams() | TieredPackageParams() | TieredRateParams() if params.tiers[-1].up_to is not None:
            detail = "The last tier must have no end (null), or usage above it has no price."
            yield Problem(f"{pointer}/tiers/{len(params.tiers) - 1}/up_to", "open_end", detail)
    match params:
        case TieredParams() if params.tier_selected_on_units is not None:
            detail = "Belongs to one calculation, not to a price; leave it out."
            yield Problem(f"{pointer}/tier_selected_on_units", "not_storable", detail)
        case BucketedParams():
            if params.bucket is None:
                detail = "Say how long a bucket is: minute, hour, day or month."
                yield Problem(f"{pointer}/bucket", "required", detail)
            yield from _problems_of_keeping(params.params, pointer)
        case DimensionalParams():
            for index, price in enumerate(params.prices):
                yield from _problems_of_keeping(price.params, f"{pointer}/prices/{index}/params")
            yield from _problems_of_keeping(params.default, f"{pointer}/default")
