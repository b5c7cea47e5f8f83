"""JSON whose numbers stay exact, in the one form that PostgreSQL's jsonb gives back."""

import json
from decimal import Decimal
from typing import Any

import orjson

INT_DIGITS_MAX = 18  # longer ones may leave orjson's 64-bit range and travel as Decimal


def write(value: Any) -> bytes:
    """Write with sorted keys and without blanks, every decimal without exponent: equal content, equal bytes."""
    return orjson.dumps(value, default=_plain_number, option=orjson.OPT_SORT_KEYS)


def write_in_order(value: Any) -> bytes:
    """Write for readers: the names in the order in which they were put."""
    return orjson.dumps(value, default=_plain_number)


def write_indented(value: Any) -> str:
    """Write for people: laid out, the names in the order in which they were put."""
    return orjson.dumps(value, default=_plain_number, option=orjson.OPT_INDENT_2).decode()


def read(text: str) -> Any:
    """Read what `write` wrote, or what PostgreSQL made of it; fractions and long integers become Decimal."""
    return json.loads(text, parse_float=Decimal, parse_int=whole_number)


def whole_number(text: str) -> int | Decimal:
    """Give an int where it is short enough for every library on the way, else a Decimal."""
    return int(text) if len(text) <= INT_DIGITS_MAX else Decimal(text)


def number_text(number: Decimal) -> str:
    """Write as jsonb does: no exponent, no negative zero, the scale kept: 1E+3 → 1000, 1.50 → 1.50, -0.0 → 0.0."""
    text = format(number, "f")
    return text[1:] if number.is_zero() and text.startswith("-") else text


def _plain_number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(number_text(value))
    raise TypeError(f"{value!r} has no exact form in JSON")


class ExactEncoder(json.JSONEncoder):
    """For model fields: decimals are written as JSON numbers, not as texts or floats."""

    def encode(self, o: Any) -> str:
        return write(o).decode()


class ExactDecoder(json.JSONDecoder):
    """For model fields: fractions are read as Decimal."""

    def __init__(self) -> None:
        super().__init__(parse_float=Decimal, parse_int=whole_number)
