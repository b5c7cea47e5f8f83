"""Reads what a price is tried on: units, events that bring their own, or cumulative steps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules import fields
from invoicing.pricing.rules.fields import Fields, Problem
from invoicing.pricing.rules.params import ParamsError
from invoicing.rating.rules.usage import Breakdown, Part, Usage

OBJECTS_MAX = 10_000
BUCKET = "bucket"


class PreviewError(InvalidInputError):
    """A quantity or rounding that cannot be used."""

    code = "preview_invalid"


class EventUnitsError(InvalidInputError):
    """An event of a preview whose quantity cannot be read."""

    code = "event_units"


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Usage up to a point; what was billed before stands in the sequence without counting."""

    quantity: Decimal
    is_billed_before: bool


def read_usage(*, units: Any, events: Any, breakdown: Breakdown | None) -> Usage:
    """The usage as this price wants it: events are parts of their own."""
    if events is None:
        usage = Usage(read_units(units))
        if breakdown is not None and usage.quantity:
            raise PreviewError("This price looks at events; give them instead of units.", pointer="/events")
        return usage
    wanted, entries = breakdown or Breakdown("properties"), read_objects(events, "events")
    parts = tuple(_read_part(entry, wanted, pointer=f"/events/{index}") for index, entry in enumerate(entries))
    with rounding.exactly():
        total = sum((part.quantity for part in parts), Decimal(0))
    if wanted.amount_property is not None and units is not None and parts:
        return Usage(read_units(units), (replace(parts[0], quantity=read_units(units) - total), *parts[1:]))
    return Usage(total, parts)


def read_steps(steps: Any) -> list[Cumulative]:
    """`cumulative_units` of each step; `expected_increment` says nothing but that, as null, it was billed before."""
    found = []
    problems: list[Problem] = []
    for index, entry in enumerate(read_objects(steps, "steps")):
        reader = Fields(entry, pointer=f"/steps/{index}", problems=problems)
        quantity = reader.signed("cumulative_units")
        reader.take("expected_increment")
        reader.refuse_unknown()
        found.append(Cumulative(quantity, entry.get("expected_increment", "") is None))
    if problems:
        raise ParamsError(problems)
    if not found:
        raise PreviewError("At least one step is needed.", pointer="/steps")
    return found


def read_units(units: Any) -> Decimal:
    try:
        quantity = fields.read_number(units, decimals_max=fields.QUANTITY_DECIMALS_MAX)
    except ValueError as error:
        raise PreviewError(f"{error}.", pointer="/units") from error
    if abs(quantity) > fields.QUANTITY_MAX:
        raise PreviewError(f"At most {money.plain(fields.QUANTITY_MAX)} units.", pointer="/units")
    return quantity


def read_objects(value: Any, name: str) -> list[Mapping[str, Any]]:
    """A list of objects, not too long."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise PreviewError(f"{name.capitalize()} are a list of objects.", pointer=f"/{name}")
    if len(value) > OBJECTS_MAX:
        raise PreviewError(f"At most {OBJECTS_MAX} {name} can be tried at once.", pointer=f"/{name}")
    return value


def _read_part(event: Mapping[str, Any], breakdown: Breakdown, *, pointer: str) -> Part:
    carried, bucket = breakdown.amount_property, BUCKET if breakdown.kind == "buckets" else None
    named = {*breakdown.properties, *((carried,) if carried else ()), *((bucket,) if bucket else ())}
    left = [name for name in event if name not in named]
    amount = None if carried is None else _read_number(event, carried, pointer=pointer)
    if bucket is not None and not isinstance(event.get(bucket), str | int):
        raise EventUnitsError("Each event says the bucket it lies in.", pointer=f"{pointer}/{bucket}")
    if carried is not None and not left:
        return Part(Decimal(1), amount=amount)  # one event, where nothing says how many units
    if len(left) != 1:
        raise EventUnitsError("An event needs exactly one property that says its units.", pointer=pointer)
    return Part(
        _read_number(event, left[0], pointer=pointer),
        properties=tuple((name, event[name]) for name in breakdown.properties if isinstance(event.get(name), str)),
        bucket=None if bucket is None else str(event[bucket]),
        amount=amount,
    )


def _read_number(event: Mapping[str, Any], name: str, *, pointer: str) -> Decimal:
    where = f"{pointer}/{fields.escape(name)}"
    try:
        number = fields.read_number(event.get(name), decimals_max=fields.QUANTITY_DECIMALS_MAX)
    except ValueError as error:
        raise EventUnitsError(f"{error}.", pointer=where) from error
    if abs(number) > fields.QUANTITY_MAX:
        raise EventUnitsError(f"At most {money.plain(fields.QUANTITY_MAX)}.", pointer=where)
    return number
