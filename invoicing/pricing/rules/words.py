"""A price as a person reads it: one sentence, or one for each tier, then what its modifiers do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.pricing.rules.modifiers import Modifiers
from invoicing.pricing.rules.params import (
    BucketedParams,
    CreditParams,
    DimensionalParams,
    DynamicParams,
    FeeProgramParams,
    FlatParams,
    PackageParams,
    Params,
    PercentageParams,
    PlanCommitmentParams,
    PlanDiscountParams,
    StandardParams,
    TieredPackageParams,
    TieredParams,
    TieredRateParams,
    modifiers_of,
)
from invoicing.pricing.rules.params_tiers import AnyTier, PackageTier, Tier

LINES_MAX = 12  # a page shows the first lines of a long table; the parameters hold them all
TIERED = (TieredParams, TieredPackageParams, TieredRateParams)
_ROUNDED = {"round": "rounded", "ceil": "rounded up", "floor": "rounded down"}
_WHOLE = {"half_up": "rounded", "ceiling": "rounded up", "floor": "rounded down"}


def price_in_words(params: Params, *, currency: str, unit: str) -> list[str]:
    """What it charges, in the plan's currency and the meter's unit."""
    lines = [*_model(params, _Words(currency, unit)), *_modifiers(modifiers_of(params), _Words(currency, unit))]
    hidden = len(lines) - LINES_MAX
    return lines if hidden <= 0 else [*lines[:LINES_MAX], f"and {hidden} more {_rest(params)}"]


@dataclass(frozen=True, slots=True)
class _Words:
    """The money and the unit of a price."""

    currency: str
    unit: str

    def price(self, amount: Decimal) -> str:
        """At least the currency's decimals, and every further one that a unit price has."""
        rounded = money.amount_text(amount, currency=self.currency)
        return f"{rounded if Decimal(rounded) == amount else money.plain(amount)} {self.currency}"

    def units(self, quantity: Decimal) -> str:
        return f"{money.plain(quantity)} {self.unit}".rstrip()


def _model(params: Any, words: _Words) -> Iterator[str]:
    return _SENTENCES[type(params)](params, words)


def _flat(params: FlatParams, words: _Words) -> Iterator[str]:
    when = ", billed in advance" if params.billed == "in_advance" else ""
    yield f"{words.price(params.amount)} per period{when}"


def _standard(params: StandardParams, words: _Words) -> Iterator[str]:
    for entry in params.filters:
        yield f"{_match(entry.match)}: {words.price(entry.unit_amount)} per {words.unit}"
    other = "all others: " if params.filters else ""
    yield f"{other}{words.price(params.unit_amount)} per {words.unit}"


def _package(params: PackageParams, words: _Words) -> Iterator[str]:
    free = f", the first {money.plain(params.free_units)} free" if params.free_units else ""
    yield f"{words.price(params.package_amount)} per {words.units(params.package_size)}{free}"


def _dynamic(params: DynamicParams, words: _Words) -> Iterator[str]:
    source = "what the meter measures" if params.price_from is None else f"the {params.price_from}"
    yield source + (f" × {money.plain(params.multiplier)}, in {words.currency}" if params.multiplier != 1 else "")


def _bucketed(params: BucketedParams, words: _Words) -> Iterator[str]:
    yield f"each {params.bucket or 'bucket'} by itself:"
    yield from _model(params.params, words)
    yield from _modifiers(params.params.modifiers, words)


def _dimensional(params: DimensionalParams, words: _Words) -> Iterator[str]:
    for price in params.prices:
        yield f"{_match(price.match)}: {_inline(price.params, words)}"
    yield f"all others: {_inline(params.default, words)}"


def _fee_program(params: FeeProgramParams, _words: _Words) -> Iterator[str]:
    yield f"as the fee program {params.program} says"
    roles = {"amount": params.amount, "account": params.account, "country": params.country, "status": params.status}
    read = [f"{role} from {name}" for role, name in roles.items() if name]
    read += [f"{flag.surcharge} where {flag.property} is {flag.equals}" for flag in params.flags]
    if read:
        yield ", ".join(read)
    if params.home_country:
        yield f"in {params.home_country} where the event names no country"


def _plan_commitment(params: PlanCommitmentParams, words: _Words) -> Iterator[str]:
    return _limits(params.limits, words)


def _plan_discount(params: PlanDiscountParams, _words: _Words) -> Iterator[str]:
    charges = f" {', '.join(params.applies_to)}" if params.applies_to else " the whole plan"
    yield f"{money.plain(params.discount_percent)} % off{charges}"


def _tiered(params: TieredParams | TieredPackageParams | TieredRateParams, words: _Words) -> Iterator[str]:
    return _tiers(params.tiers, words)


def _tiers(tiers: tuple[AnyTier, ...], words: _Words) -> Iterator[str]:
    floor = Decimal(0)
    for tier in tiers:
        begin = money.plain(floor)
        band = f"above {begin}" if tier.up_to is None else f"{begin} to {money.plain(tier.up_to)}"
        fee = f" plus {words.price(tier.flat_amount)}" if tier.flat_amount else ""
        yield f"{band}: {_tier_price(tier, words)}{fee}"
        floor = tier.up_to or floor


def _tier_price(tier: AnyTier, words: _Words) -> str:
    if isinstance(tier, Tier):
        return f"{words.price(tier.unit_amount)} per {words.unit}"
    if isinstance(tier, PackageTier):
        return f"{words.price(tier.package_amount)} per {words.units(tier.package_size)}"
    return f"{money.plain(tier.rate_percent)} %"


def _percentage(params: PercentageParams, words: _Words) -> Iterator[str]:
    fee = f" and {words.price(params.fixed_amount_per_event)} per event" if params.fixed_amount_per_event else ""
    yield f"{money.plain(params.rate_percent)} %{fee}"
    free = []
    if params.free_events is not None:
        free.append(f"{params.free_events} events")
    if params.free_total_amount is not None:
        free.append(words.price(params.free_total_amount))
    if free:
        yield f"the first {' or '.join(free)} free{', whichever ends first' if len(free) > 1 else ''}"
    if params.per_transaction_min is not None:
        yield f"at least {words.price(params.per_transaction_min)} per event"
    if params.per_transaction_max is not None:
        yield f"at most {words.price(params.per_transaction_max)} per event"


def _credits(params: CreditParams, words: _Words) -> Iterator[str]:
    worth = f"each worth {words.price(params.credit_rate)}"
    charges = f", for {', '.join(params.credits_apply_to)}" if params.credits_apply_to else ""
    yield f"{money.plain(params.opening_balance)} credits per period, {worth}{charges}"


def _modifiers(modifiers: Modifiers, words: _Words) -> Iterator[str]:
    conversion, rounding = modifiers.unit_conversion, modifiers.unit_rounding
    if conversion is not None:
        sign = "÷" if conversion.operation == "divide" else "×"
        whole = f", {_WHOLE[conversion.rounding]} to whole units" if conversion.rounding else ""
        yield f"measured units {sign} {money.plain(conversion.factor)}{whole}"
    if rounding is not None:
        yield f"units {_ROUNDED[rounding.function]} to {money.plain(Decimal(1).scaleb(-rounding.precision))}"
    if modifiers.included_quantity:
        yield f"{words.units(modifiers.included_quantity)} included"
    if modifiers.usage_discount:
        yield f"{words.units(modifiers.usage_discount)} off"
    if modifiers.is_committed:
        yield from _commitment(modifiers, words)
    if modifiers.discount_percent:
        yield f"{money.plain(modifiers.discount_percent)} % off"
    yield from _limits(modifiers, words)


def _commitment(modifiers: Modifiers, words: _Words) -> Iterator[str]:
    paid = "paid in any case" if modifiers.true_up else "no more than used is paid"
    beyond = f", usage beyond × {money.plain(modifiers.overage_factor)}" if modifiers.overage_factor != 1 else ""
    quantity, amount = modifiers.committed_quantity, modifiers.committed_amount
    yield f"{words.units(quantity) if quantity else words.price(amount)} committed, {paid}{beyond}"


def _limits(modifiers: Modifiers, words: _Words) -> Iterator[str]:
    if modifiers.minimum_amount is not None:
        yield f"at least {words.price(modifiers.minimum_amount)} per period"
    if modifiers.maximum_amount is not None:
        yield f"at most {words.price(modifiers.maximum_amount)} per period"
    if modifiers.partial_period != "prorate":
        yield "the same for a part of a period"


def _inline(params: Any, words: _Words) -> str:
    return "; ".join((*_model(params, words), *_modifiers(params.modifiers, words)))


def _match(match: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in match)


def _rest(params: Params) -> str:
    """Modifiers after a long table are among what is hidden; the parameters are on the page of the price."""
    return "tiers" if isinstance(params, TIERED) else "lines"


_SENTENCES: Mapping[type, Callable[..., Iterator[str]]] = {
    FlatParams: _flat,
    StandardParams: _standard,
    PackageParams: _package,
    **dict.fromkeys(TIERED, _tiered),
    PercentageParams: _percentage,
    DynamicParams: _dynamic,
    BucketedParams: _bucketed,
    DimensionalParams: _dimensional,
    FeeProgramParams: _fee_program,
    PlanCommitmentParams: _plan_commitment,
    PlanDiscountParams: _plan_discount,
    CreditParams: _credits,
}
