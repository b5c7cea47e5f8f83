"""Which events a meter counts: conditions on properties of `data`, of which all must hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metering.rules import values
from metering.rules.reasons import Reason, pointer_to, reason

OPERATORS = ("equals", "in", "range")
FILTERS_MAX = 20
VALUES_MAX = 1000
NAME_LENGTH_MAX = 120
TEXT_LENGTH_MAX = 500
NAMES = {
    "equals": frozenset({"property", "operator", "value"}),
    "in": frozenset({"property", "operator", "values"}),
    "range": frozenset({"property", "operator", "from", "below"}),
}

Scalar = str | bool | Decimal


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: the property of this name is one of `values`, all of one kind, or a number in `[start, below)`."""

    name: str
    kind: str
    values: tuple[Scalar, ...] = ()
    start: Decimal | None = None
    below: Decimal | None = None

    @property
    def is_range(self) -> bool:
        return not self.values

    def as_parameter(self) -> dict[str, Any]:
        """The condition as SQL is given it: as one JSON value."""
        if self.is_range:
            return {"property": self.name, "kind": "range", "from": self.start, "below": self.below}
        return {"property": self.name, "kind": self.kind, "values": list(self.values)}


def matches(filters: Sequence[Filter], data: Any) -> bool:
    """Say whether an event with this `data` counts; an absent property, or one of another kind, never matches."""
    named = data if isinstance(data, Mapping) else {}
    return all(_holds(one, named.get(one.name)) for one in filters)


def _holds(one: Filter, value: Any) -> bool:
    found = _read(value, one.kind)
    if found is None:
        return False
    if one.is_range:
        assert isinstance(found, Decimal)  # noqa: S101  a range is of numbers
        return (one.start is None or found >= one.start) and (one.below is None or found < one.below)
    return found in one.values


def _read(value: Any, kind: str) -> Scalar | None:
    if kind == "number":
        return read_number(value)
    return value if type(value) is (bool if kind == "boolean" else str) else None


def read_number(value: Any) -> Decimal | None:
    """Give a number as a meter reads one: a JSON number, or a text that is a plain decimal."""
    if isinstance(value, bool) or values.find_flaw(value):
        return None
    return Decimal(value)


def parse_filters(raw: Any, *, declared: Sequence[str] | None = None) -> tuple[Filter, ...]:
    """Give the conditions that this JSON means; FilterError names everything that is wrong with it.

    Only a property that the contract declares can be filtered by, where `declared` says which those are.
    """
    if not isinstance(raw, list):
        raise FilterError([reason("filter_unusable", "Write a list of filters.", pointer="/filters")])
    if len(raw) > FILTERS_MAX:
        raise FilterError([reason("too_many", f"Give at most {FILTERS_MAX} filters.", pointer="/filters")])
    flaws: list[Reason] = []
    found = [_parse(one, index, declared, flaws) for index, one in enumerate(raw)]
    if flaws:
        raise FilterError(flaws)
    return tuple(one for one in found if one is not None)


class FilterError(ValueError):
    """Filters that cannot be used, with every reason."""

    def __init__(self, flaws: Sequence[Reason]) -> None:
        super().__init__(flaws[0].detail)
        self.flaws = list(flaws)


def _parse(raw: Any, index: int, declared: Sequence[str] | None, flaws: list[Reason]) -> Filter | None:
    def refuse(detail: str, *steps: str) -> None:
        flaws.append(reason("filter_unusable", detail, pointer=pointer_to(["filters", index, *steps])))

    operator = raw.get("operator") if isinstance(raw, dict) else None
    if not isinstance(operator, str) or operator not in OPERATORS:
        refuse(f"`operator` is one of {', '.join(OPERATORS)}.", "operator")
        return None
    if unknown := raw.keys() - NAMES[operator]:
        refuse(f"A filter by {operator} knows {', '.join(sorted(NAMES[operator]))} and no {min(unknown)[:60]!a}.")
        return None
    if flaw := find_name_flaw(raw.get("property"), declared=declared):
        refuse(flaw, "property")
        return None
    try:
        return _parse_range(raw) if operator == "range" else _parse_values(raw, operator)
    except ValueError as error:
        refuse(f"{error}.")
        return None


def in_words(raw: Mapping[str, Any]) -> str:
    """Say a condition as a person reads it."""
    if raw["operator"] == "range":
        bounds = [("from", raw.get("from")), ("below", raw.get("below"))]
        said = " ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
        return f"{raw['property']} {said}"
    given = [raw["value"]] if raw["operator"] == "equals" else raw["values"]
    return (
        f"{raw['property']} is {' or '.join(str(one).lower() if isinstance(one, bool) else str(one) for one in given)}"
    )


def find_name_flaw(name: Any, *, declared: Sequence[str] | None) -> str | None:
    """Say what is wrong with the name of a property of `data`; None for nothing."""
    if not isinstance(name, str) or not 0 < len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        return f"Name a property of `data` by 1 to {NAME_LENGTH_MAX} printable characters."
    if declared is not None and name not in declared:
        return f"The contract declares no property {name!a}."
    return None


def _parse_range(raw: dict[str, Any]) -> Filter:
    bounds = {name: _bound(raw[name], name) for name in ("from", "below") if raw.get(name) is not None}
    start, below = bounds.get("from"), bounds.get("below")
    if not bounds:
        raise ValueError("a range has a bound: `from`, `below` or both")
    if start is not None and below is not None and not start < below:
        raise ValueError("`from` must lie under `below`, else nothing is between them")
    return Filter(raw["property"], "number", start=start, below=below)


def _bound(value: Any, name: str) -> Decimal:
    number = read_number(value)
    if number is None:
        raise ValueError(f"`{name}` is a plain decimal of at most 10^15 in size and 18 decimals")
    return number


def _parse_values(raw: dict[str, Any], operator: str) -> Filter:
    given = [raw.get("value")] if operator == "equals" else raw.get("values")
    if not isinstance(given, list) or not 0 < len(given) <= VALUES_MAX:
        raise ValueError(f"`values` is a list of 1 to {VALUES_MAX} values")
    kinds = {_kind_of(value) for value in given}
    if len(kinds) != 1 or None in kinds:
        raise ValueError(
            f"values are texts of at most {TEXT_LENGTH_MAX} characters, numbers, or true and false, of one kind"
        )
    kind = str(kinds.pop())
    found = tuple(Decimal(value) if kind == "number" else value for value in given)
    return Filter(raw["property"], kind, values=found)


def _kind_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text" if len(value) <= TEXT_LENGTH_MAX and _can_be_stored(value) else None
    return None if values.find_flaw(value) else "number"


def _can_be_stored(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
