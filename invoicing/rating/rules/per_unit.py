"""One price for each unit, also by property of the event."""

from collections.abc import Sequence
from decimal import Decimal

from invoicing.pricing.rules.params import FilterPrice, StandardParams
from invoicing.rating.rules.steps import Step
from invoicing.rating.rules.usage import Breakdown, Part, Usage


def price_units(*, params: StandardParams, usage: Usage) -> tuple[Step, ...]:
    """Units × price; by property where there are filters: one step per price, the rest at the default."""
    if not params.filters:
        return (_step("Per unit", quantity=usage.quantity, unit_price=params.unit_amount),)
    totals: dict[FilterPrice | None, Decimal] = dict.fromkeys((*params.filters, None), Decimal(0))
    for part in usage.parts:
        totals[_closest(params.filters, part)] += part.quantity
    return tuple(
        _step("Other", quantity=quantity, unit_price=params.unit_amount)
        if entry is None
        else _step(_label(entry), quantity=quantity, unit_price=entry.unit_amount)
        for entry, quantity in totals.items()
    )


def breakdown(params: StandardParams) -> Breakdown | None:
    """Combinations of the properties that filters compare."""
    if not params.filters:
        return None
    return Breakdown(
        "properties", properties=tuple(sorted({name for entry in params.filters for name, _ in entry.match}))
    )


def _closest(filters: Sequence[FilterPrice], part: Part) -> FilterPrice | None:
    """The matching filter with most properties; the first of equals."""
    carried = dict(part.properties)
    matching = [entry for entry in filters if all(carried.get(name) == value for name, value in entry.match)]
    return max(matching, key=lambda entry: len(entry.match), default=None)


def _label(entry: FilterPrice) -> str:
    return ", ".join(f"{name} {value}" for name, value in entry.match)


def _step(label: str, *, quantity: Decimal, unit_price: Decimal) -> Step:
    return Step(label=label, quantity=quantity, unit_price=unit_price, amount=quantity * unit_price)
