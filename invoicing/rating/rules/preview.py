"""What a price would charge, before anybody agrees on it: nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules import fields
from invoicing.pricing.rules import params as price_params
from invoicing.rating import rules
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Part, Usage

SCALE_MAX = 12


class PreviewError(InvalidInputError):
    """A quantity or rounding that cannot be used."""

    code = "preview_invalid"


class EventUnitsError(InvalidInputError):
    """An event of a preview whose quantity cannot be read."""

    code = "event_units"


@dataclass(frozen=True, slots=True)
class Rounding:
    """How to round the amount: to so many decimals, half up or half even."""

    scale: int
    mode: str


@dataclass(frozen=True, slots=True)
class Preview:
    """An amount, rounded as asked, with the exact one and its steps."""

    amount: str
    computation: Computation


def preview_amount(
    *, model: str, params: Any, units: Any = None, events: Any = None, rounding_rule: Rounding | None
) -> Preview:
    """The amount of `units`, or of `events` that each bring their own; exact where no rounding is asked for."""
    parsed = price_params.parse_params(model=model, params=params)
    if (units is None) == (events is None) and model not in rules.FEE_MODELS:
        raise PreviewError("Give either units or events.", pointer="/units")
    breakdown = rules.breakdown_of(model=model, params=parsed)
    if breakdown is None and events is None:
        usage = Usage(_read_units(units))
    else:
        usage = _sum_events(_read_events(events), properties=breakdown.properties if breakdown else ())
    computation = rules.compute(model=model, params=parsed, usage=usage)
    return Preview(_round(computation.amount_exact, rounding_rule), computation)


def currency_rounding(currency: str) -> Rounding:
    """The rounding of an invoice line in this currency."""
    return Rounding(money.currency_exponent(currency), "half_up")


def read_rounding(document: Any) -> Rounding:
    """`{"scale", "mode"}`; `at` is taken and says nothing, for one amount is one line."""
    problems: list[fields.Problem] = []
    reader = fields.Fields(document, pointer="/rounding", problems=problems)
    scale, mode = reader.take("scale"), reader.choice("mode", options=tuple(rounding.MODES))
    reader.take("at")
    reader.refuse_unknown()
    if isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= SCALE_MAX:
        reader.report("scale", "out_of_range", f"Needs a whole number from 0 to {SCALE_MAX}.")
    if problems:
        raise PreviewError(problems[0].detail, pointer=problems[0].pointer)
    return Rounding(scale, mode)


def _round(amount: Decimal, rule: Rounding | None) -> str:
    if rule is None:
        return money.plain(amount)
    return format(rounding.round_to_scale(amount, scale=rule.scale, mode=rule.mode), "f")


def _read_units(units: Any) -> Decimal:
    if units is None:
        return Decimal(1)
    try:
        quantity = fields.read_number(units, decimals_max=fields.QUANTITY_DECIMALS_MAX)
    except ValueError as error:
        raise PreviewError(f"{error}.", pointer="/units") from error
    if abs(quantity) > fields.QUANTITY_MAX:
        raise PreviewError(f"At most {money.plain(fields.QUANTITY_MAX)} units.", pointer="/units")
    return quantity


def _read_events(events: Any) -> list[Mapping[str, Any]]:
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise PreviewError("Events are a list of objects.", pointer="/events")
    return events


def _sum_events(events: list[Mapping[str, Any]], *, properties: tuple[str, ...]) -> Usage:
    parts = tuple(
        Part(
            _read_event_units(event, ignore=properties, pointer=f"/events/{index}"),
            properties=tuple((name, event[name]) for name in properties if isinstance(event.get(name), str)),
        )
        for index, event in enumerate(events)
    )
    with rounding.exactly():
        return Usage(sum((part.quantity for part in parts), Decimal(0)), parts)


def _read_event_units(event: Mapping[str, Any], *, ignore: tuple[str, ...], pointer: str) -> Decimal:
    """The quantity of an event: its one property that no filter compares."""
    left = [name for name in event if name not in ignore]
    if len(left) != 1:
        raise EventUnitsError("An event needs exactly one property that says its units.", pointer=pointer)
    try:
        return fields.read_number(event[left[0]], decimals_max=fields.QUANTITY_DECIMALS_MAX)
    except ValueError as error:
        raise EventUnitsError(f"{error}.", pointer=f"{pointer}/{fields.escape(left[0])}") from error
