"""One price for each unit, also by property of the event."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.errors import InvalidInputError
from invoicing.pricing.rules import fields
from invoicing.pricing.rules.params import FilterPrice, StandardParams
from invoicing.rating.rules.steps import Step


class EventUnitsError(InvalidInputError):
    """An event of a preview whose quantity cannot be read."""

    code = "event_units"


def price_units(*, params: StandardParams, quantity: Decimal) -> tuple[Step, ...]:
    """Units × price."""
    return (_step("Per unit", quantity=quantity, unit_price=params.unit_amount),)


def price_events(*, params: StandardParams, events: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Each event at the price of the closest filter it matches, one step per price; the rest at the default."""
    names = {name for entry in params.filters for name, _ in entry.match}
    totals: dict[FilterPrice | None, Decimal] = dict.fromkeys((*params.filters, None), Decimal(0))
    for index, event in enumerate(events):
        totals[_closest(params.filters, event)] += read_units(event, ignore=names, pointer=f"/events/{index}")
    return tuple(
        _step("Other", quantity=quantity, unit_price=params.unit_amount)
        if entry is None
        else _step(_label(entry), quantity=quantity, unit_price=entry.unit_amount)
        for entry, quantity in totals.items()
    )


def read_units(event: Mapping[str, Any], *, ignore: set[str] | frozenset[str] = frozenset(), pointer: str) -> Decimal:
    """The quantity of an event: its one property that no filter compares."""
    left = [name for name in event if name not in ignore]
    if len(left) != 1:
        raise EventUnitsError("An event needs exactly one property that says its units.", pointer=pointer)
    try:
        return fields.read_number(event[left[0]], decimals_max=fields.QUANTITY_DECIMALS_MAX)
    except ValueError as error:
        raise EventUnitsError(f"{error}.", pointer=f"{pointer}/{fields.escape(left[0])}") from error


def _closest(filters: Sequence[FilterPrice], event: Mapping[str, Any]) -> FilterPrice | None:
    """The matching filter with most properties; the first of equals."""
    matching = [entry for entry in filters if all(event.get(name) == value for name, value in entry.match)]
    return max(matching, key=lambda entry: len(entry.match), default=None)


def _label(entry: FilterPrice) -> str:
    return ", ".join(f"{name} {value}" for name, value in entry.match)


def _step(label: str, *, quantity: Decimal, unit_price: Decimal) -> Step:
    return Step(label=label, quantity=quantity, unit_price=unit_price, amount=quantity * unit_price)
