"""Prices that come with the events: their precise amounts are summed and rounded once (Lago `dynamic_service_spec`)."""

from collections.abc import Sequence
from decimal import Decimal

from core import money
from invoicing.pricing.rules.params import DynamicParams
from invoicing.pricing.rules.params_events import MINOR
from invoicing.rating.rules.steps import NOTHING, Step, amount_step, free_step, units_step
from invoicing.rating.rules.usage import Breakdown, Part


def price_measured(*, params: DynamicParams, quantity: Decimal) -> tuple[Step, ...]:
    """The meter itself measures amounts; each counts so many times (OpenMeter `rate/dynamic_test.go`)."""
    return (units_step(f"Amounts × {money.plain(params.multiplier)}", quantity=quantity, unit_price=params.multiplier),)


def price_carried(*, params: DynamicParams, parts: Sequence[Part], currency: str) -> tuple[Step, ...]:
    """The sum of the amounts that events carry, times the multiplier; never below 0, and nothing without units."""
    quantity = sum((part.quantity for part in parts), NOTHING)
    carried = sum((part.amount for part in parts if part.amount is not None), NOTHING)
    if not quantity:
        return (free_step("No usage: nothing is charged", quantity=quantity),)
    factor, unit = params.multiplier, ""
    if params.price_from == MINOR:
        factor, unit = factor.scaleb(-money.currency_exponent(currency)), " in minor units"
    times = f" × {money.plain(params.multiplier)}" if params.multiplier != 1 else ""
    label = f"Amounts of the events{unit}{times}"
    amount = carried * factor
    step = Step(label=label, quantity=carried, units=quantity, unit_price=factor, amount=amount)
    if amount >= 0:
        return (step,)
    return (step, amount_step("Corrections exceed usage: charged as 0", amount=-amount))


def breakdown(params: DynamicParams) -> Breakdown | None:
    """The sum of the amounts; which event carried which does not matter."""
    return None if params.price_from is None else Breakdown("properties", amount_property=params.amount_property)
