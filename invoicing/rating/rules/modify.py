"""The steps around a model: units are converted, rounded and taken off before it; discounts and limits follow it."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from core import money, rounding
from invoicing.pricing.rules.modifiers import Modifiers, UnitConversion, UnitRounding
from invoicing.rating.rules import proration
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.steps import Step, amount_step, free_step, total

_FUNCTIONS = {"round": "half_up", "ceil": "ceiling", "floor": "floor"}
_IN_WORDS = {"half_up": "rounded", "ceiling": "rounded up", "floor": "rounded down"}

Priced = tuple[tuple[Step, ...], Decimal]


def convert_units(modifiers: Modifiers, quantity: Decimal) -> Priced:
    """The steps from measured to billed units, and how many those are."""
    steps = []
    if modifiers.unit_conversion is not None and quantity:
        step = _conversion(modifiers.unit_conversion, quantity)
        steps.append(step)
        quantity = step.becomes or Decimal(0)
    if modifiers.unit_rounding is not None and quantity:
        step = _rounding(modifiers.unit_rounding, quantity)
        steps.append(step)
        quantity = step.becomes or Decimal(0)
    return tuple(steps), quantity


def take_included(modifiers: Modifiers, quantity: Decimal, *, share: Share) -> Priced:
    """The steps of the units that cost nothing, and how many are left to be priced."""
    steps = []
    for label, most in (("Included", modifiers.included_quantity), ("Usage discount", modifiers.usage_discount)):
        if most:
            taken = min(quantity, proration.share_of_quantity(most, share=_share(modifiers, share)))
            steps.append(free_step(f"{label}: {money.plain(most)}{_of(modifiers, share)}", quantity=taken))
            quantity -= taken
    return tuple(steps), quantity


def price_committed(
    modifiers: Modifiers, quantity: Decimal, *, price: Callable[[Decimal], tuple[Step, ...]], share: Share
) -> tuple[Step, ...]:
    """What is committed is paid in any case, unless nothing is trued up; what goes beyond costs a multiple."""
    steps = price(quantity)
    if not modifiers.is_committed:
        return steps
    beyond = total(steps) - _committed_amount(modifiers, price=price, share=_share(modifiers, share))
    committed = modifiers.committed_quantity or modifiers.committed_amount
    name = f"commitment of {money.plain(committed)}{_of(modifiers, share)}"
    if beyond < 0 and modifiers.true_up:
        return (*steps, amount_step(f"Up to the {name}", amount=-beyond))
    if beyond > 0 and modifiers.overage_factor != 1:
        factor = modifiers.overage_factor
        extra = amount_step(f"Beyond the {name}: × {money.plain(factor)}", amount=beyond * (factor - 1))
        return (*steps, extra)
    return steps


def _committed_amount(modifiers: Modifiers, *, price: Callable[[Decimal], tuple[Step, ...]], share: Share) -> Decimal:
    if modifiers.committed_amount:
        return proration.share_of_amount(modifiers.committed_amount, share=share)
    return total(price(proration.share_of_quantity(modifiers.committed_quantity, share=share)))


def adjust_amount(modifiers: Modifiers, amount: Decimal, *, share: Share) -> Iterator[Step]:
    """The discount, then what is missing to the minimum or goes beyond the maximum."""
    if modifiers.discount_percent:
        percent = modifiers.discount_percent
        discount = -(amount * percent.scaleb(-2))
        yield amount_step(f"Discount of {money.plain(percent)} %", amount=discount)
        amount += discount
    yield from limit_amount(modifiers, amount, share=share)


def limit_amount(modifiers: Modifiers, amount: Decimal, *, share: Share) -> Iterator[Step]:
    """One step where the amount is less than the minimum or more than the maximum of this share."""
    for name, limit, sign in (("Minimum", modifiers.minimum_amount, 1), ("Maximum", modifiers.maximum_amount, -1)):
        if limit is not None:
            missing = proration.share_of_amount(limit, share=_share(modifiers, share)) - amount
            if missing * sign > 0:
                yield amount_step(f"{name} of {money.plain(limit)}{_of(modifiers, share)}", amount=missing)


def convert(conversion: UnitConversion, quantity: Decimal) -> Decimal:
    """Exact, then rounded once: to whole units where the conversion says so, else to 18 decimals."""
    scale, mode = (proration.QUANTITY_DECIMALS, "half_up") if conversion.rounding is None else (0, conversion.rounding)
    if conversion.operation == "divide":
        return rounding.divide(quantity, conversion.factor, scale=scale, mode=mode)
    return rounding.round_to_scale(quantity * conversion.factor, scale=scale, mode=mode)


def round_units(rule: UnitRounding, quantity: Decimal) -> Decimal:
    return rounding.round_to_scale(quantity, scale=rule.precision, mode=_FUNCTIONS[rule.function])


def _conversion(conversion: UnitConversion, quantity: Decimal) -> Step:
    sign = "÷" if conversion.operation == "divide" else "×"
    words = f", {_IN_WORDS[conversion.rounding]} to whole units" if conversion.rounding else ""
    label = f"Converted: {sign} {money.plain(conversion.factor)}{words}"
    return Step(label=label, quantity=quantity, becomes=convert(conversion, quantity), amount=Decimal(0))


def _rounding(rule: UnitRounding, quantity: Decimal) -> Step:
    label = f"Units {_IN_WORDS[_FUNCTIONS[rule.function]]} to {money.plain(Decimal(1).scaleb(-rule.precision))}"
    return Step(label=label, quantity=quantity, becomes=round_units(rule, quantity), amount=Decimal(0))


def _share(modifiers: Modifiers, share: Share) -> Share:
    return share if modifiers.partial_period == "prorate" else proration.WHOLE


def _of(modifiers: Modifiers, share: Share) -> str:
    applied = _share(modifiers, share)
    return "" if applied.part == applied.whole else f", for {applied}"
