"""One price for each unit, also by property of the event."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from invoicing.pricing.rules.params import StandardParams
from invoicing.pricing.rules.params_units import Match
from invoicing.rating.rules.steps import NOTHING, Step, below_zero, units_step
from invoicing.rating.rules.usage import Breakdown, Part


def price_units(*, params: StandardParams, quantity: Decimal) -> tuple[Step, ...]:
    """Units × price."""
    return (units_step("Per unit", quantity=quantity, unit_price=params.unit_amount),)


def price_by_property(*, params: StandardParams, parts: Sequence[Part]) -> tuple[Step, ...]:
    """Each part at the price of the closest filter it matches: one step per price in use, the rest at the default."""
    unit_prices = {entry.match: entry.unit_amount for entry in params.filters}
    closest = index_matches(list(unit_prices))
    totals: dict[Match | None, Decimal] = {}
    for part in parts:
        match = closest(part)
        totals[match] = totals.get(match, NOTHING) + part.quantity
    steps: list[Step] = []
    for match in [match for match in (*unit_prices, None) if match in totals] or [None]:
        quantity = totals.get(match, NOTHING)
        if quantity < 0:
            steps.append(below_zero(quantity))
        label, unit_price = ("Other", params.unit_amount) if match is None else (in_words(match), unit_prices[match])
        steps.append(units_step(label, quantity=max(quantity, NOTHING), unit_price=unit_price))
    return tuple(steps)


def breakdown(params: StandardParams) -> Breakdown | None:
    """Combinations of the properties that filters compare."""
    return by_properties([entry.match for entry in params.filters]) if params.filters else None


def by_properties(matches: Sequence[Match]) -> Breakdown:
    """All that these entries compare."""
    return Breakdown("properties", properties=tuple(sorted({name for match in matches for name, _ in match})))


def index_matches(matches: Sequence[Match]) -> Callable[[Part], Match | None]:
    """Tells of each part which entry it matches with most properties; the first of equals, None where none matches.

    Entries are looked up by what they compare, so that a thousand of them cost no more than a few.
    """
    places: dict[tuple[tuple[str, str | None], ...], int] = {}
    for place, match in enumerate(matches):
        places.setdefault(match, place)
    shapes = sorted({tuple(name for name, _ in match) for match in matches}, key=len, reverse=True)

    def closest(part: Part) -> Match | None:
        carried = dict(part.properties)
        best: int | None = None
        for shape in shapes:
            if best is not None and len(shape) < len(matches[best]):
                break
            place = places.get(tuple((name, carried.get(name)) for name in shape))
            if place is not None and (best is None or place < best):
                best = place
        return None if best is None else matches[best]

    return closest


def in_words(match: Match) -> str:
    return ", ".join(f"{name} {value}" for name, value in match)
