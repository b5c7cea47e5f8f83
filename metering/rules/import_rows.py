"""Rows of a file to events: which column is what, and how a cell's text becomes a value."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core import money

DATA = "data."
# As spreadsheets and databases write it: a blank for the T, and UTC, +01, +0100 or nothing at all for the offset.
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9:.]+) ?(?:(?:Z|z|UTC)|([+-][0-9]{2})(?::?([0-9]{2}))?)?")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """Which columns hold the time, the id and the properties of `data`."""

    time: str | None = None
    id: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return [column for column in (self.time, self.id, *self.data.values()) if column is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """What rows of one import have in common.

    `types` are the JSON types that the contract declares per property, for cells that are text; None for rows whose
    values have types already.
    """

    columns: ColumnMap
    customer_code: str
    event_type: str
    source: str
    types: Mapping[str, frozenset[str]] | None


def read_column_map(pairs: Iterable[str]) -> ColumnMap:
    """Read `time=COLUMN`, `id=COLUMN` and `data.PROPERTY=COLUMN`; ValueError says which of them cannot be used."""
    plain: dict[str, str] = {}
    data: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        target, key = (data, name.removeprefix(DATA)) if name.startswith(DATA) else (plain, name)
        if not equals or not key or not column or (target is plain and key not in ("time", "id")):
            raise ValueError(f"{pair!r} is none of time=COLUMN, id=COLUMN and data.PROPERTY=COLUMN")
        if key in target:
            raise ValueError(f"{name} is mapped twice")
        target[key] = column
    return ColumnMap(time=plain.get("time"), id=plain.get("id"), data=data)


def event_of_row(row: Mapping[str, Any], *, event_id: str, rules: RowRules) -> dict[str, Any]:
    """Make the event of one row; what is wrong with it is left for capture to find."""
    columns = rules.columns
    time, own_id = (row.get(column) if column else None for column in (columns.time, columns.id))
    values = ((name, row.get(column)) for name, column in columns.data.items())
    event = {
        "specversion": "1.0",
        "id": event_id if columns.id is None else id_text(own_id),
        "source": rules.source,
        "type": rules.event_type,
        "subject": rules.customer_code,
        "time": time_text(time) if isinstance(time, str) else time,
        "data": {
            name: cell if rules.types is None else value_of_cell(cell, types=rules.types.get(name, frozenset()))
            for name, cell in values
            if cell not in (None, "")
        },
    }
    return {name: value for name, value in event.items() if value is not None}


def id_text(value: Any) -> Any:
    """Write a whole number as the text that names it, as a column of ids holds them; anything else stays as it is."""
    is_whole = type(value) is int or (isinstance(value, Decimal) and value.as_tuple().exponent == 0)
    return str(value) if is_whole else value


def time_text(text: str) -> str:
    """Write a file's time as RFC 3339, without an offset as UTC; what is no time stays as it is."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return text
    day, clock, hours, minutes = found.groups()
    return f"{day}T{clock}{hours}:{minutes or '00'}" if hours else f"{day}T{clock}Z"


def value_of_cell(text: str, *, types: frozenset[str]) -> Any:
    """Give a cell the type its contract declares; undeclared, a plain decimal is a number and the rest is text."""
    if types == {"string"}:
        return text
    if "boolean" in types and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if types and types.isdisjoint({"number", "integer"}):
        return text
    try:
        number = money.parse_decimal(text)
    except ValueError:
        return text
    return number if "." in text else _whole(number)


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if abs(number) < 10**18 else number


def declared_types(schema: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Give the JSON types that a schema names for each property of `data`; a property without any is left out."""
    properties = schema.get("properties")
    found = {}
    for name, part in properties.items() if isinstance(properties, dict) else ():
        declared = part.get("type") if isinstance(part, dict) else None
        if declared is not None:
            found[name] = frozenset([declared] if isinstance(declared, str) else declared)
    return found
