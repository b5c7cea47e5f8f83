"""One price for each unit, also by property of the event."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from invoicing.pricing.rules.params import FilterPrice, StandardParams
from invoicing.pricing.rules.params_units import Match
from invoicing.rating.rules.steps import Step, below_zero, units_step
from invoicing.rating.rules.usage import Breakdown, Part


def price_units(*, params: StandardParams, quantity: Decimal) -> tuple[Step, ...]:
    """Units × price."""
    return (units_step("Per unit", quantity=quantity, unit_price=params.unit_amount),)


def price_by_property(*, params: StandardParams, parts: Sequence[Part]) -> tuple[Step, ...]:
    """Each part at the price of the closest filter it matches: one step per price, the rest at the default."""
    totals: dict[FilterPrice | None, Decimal] = dict.fromkeys((*params.filters, None), Decimal(0))
    entries = {entry.match: entry for entry in params.filters}
    for part in parts:
        match = closest(entries, part)
        totals[None if match is None else entries[match]] += part.quantity
    steps: list[Step] = []
    for entry, quantity in totals.items():
        label, price = ("Other", params.unit_amount) if entry is None else (in_words(entry.match), entry.unit_amount)
        if quantity < 0:
            steps.append(below_zero(quantity))
        steps.append(units_step(label, quantity=max(quantity, Decimal(0)), unit_price=price))
    return tuple(steps)


def breakdown(params: StandardParams) -> Breakdown | None:
    """Combinations of the properties that filters compare."""
    return by_properties([entry.match for entry in params.filters]) if params.filters else None


def by_properties(matches: Sequence[Match]) -> Breakdown:
    """All that these entries compare."""
    return Breakdown("properties", properties=tuple(sorted({name for match in matches for name, _ in match})))


def closest(entries: Mapping[Match, object], part: Part) -> Match | None:
    """The matching entry with most properties; the first of equals."""
    carried = set(part.properties)
    matching = [match for match in entries if carried.issuperset(match)]
    return max(matching, key=len, default=None)


def in_words(match: Match) -> str:
    return ", ".join(f"{name} {value}" for name, value in match)
