"""Python's own JSON reader made exact: decimals, and a reason for each thing that would not survive."""

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from metering.rules import exact_json
from metering.rules.reasons import REASONS_MAX, Reason, reason

NUMBER_LENGTH_MAX = 40
NUMBER_EXPONENT_MAX = 40
DEPTH_MAX = 64
# Possessive: a text of megabytes is passed over without a place to come back to for each of its characters.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
_ESCAPED_TROUBLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def bounded_decimal(text: str) -> Decimal:
    """Give the exact number; ValueError where it is too long or too far from one to be a usage."""
    if len(text) <= NUMBER_LENGTH_MAX:
        with suppress(InvalidOperation):  # of an exponent beyond what Decimal can hold
            number = Decimal(text)
            if abs(number.adjusted()) <= NUMBER_EXPONENT_MAX:
                return number
    raise ValueError(f"the number {text[:NUMBER_LENGTH_MAX]} has more than 40 digits or zeros")


def bounded_whole(text: str) -> int | Decimal:
    return exact_json.whole_number(text) if len(text) <= NUMBER_LENGTH_MAX else bounded_decimal(text)


def refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_PLAIN = json.JSONDecoder(parse_float=bounded_decimal, parse_int=bounded_whole, parse_constant=refuse_constant)


def parse_plain(body: bytes) -> Any:
    """Parse JSON without escaped characters in one go; ValueError for what must be read element by element."""
    if b"\\u" in body:
        raise ValueError("escaped characters are looked at one text at a time")
    try:
        return _PLAIN.decode(body.decode())
    except RecursionError as error:
        raise ValueError("nested too deep") from error


class ElementReader:
    """Reads one JSON value after another out of one text; `value` and `reasons` are those of the last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: Any = None
        self.reasons: list[Reason] = []
        self._decoder = json.JSONDecoder(
            parse_float=self._decimal,
            parse_int=self._whole,
            parse_constant=self._constant,
            object_pairs_hook=self._object,
        )

    def read_at(self, start: int) -> int:
        """Read the value that begins at `start` and say where it ends; ValueError where there is none."""
        self.reasons = []
        try:
            self.value, end = self._decoder.raw_decode(self.text, start)
        except RecursionError:
            self.value, end = None, self._end_of_brackets(start)
            self._note(reason("nested_too_deep"))
            return end
        self._inspect(self.text[start:end])
        return end

    def _end_of_brackets(self, start: int) -> int:
        depth = 0
        for token in _TOKEN.finditer(self.text, start):
            mark = token.group()
            depth += (mark in "[{") - (mark in "]}")
            if depth == 0:
                return token.end()
        raise ValueError("the brackets do not match")

    def _inspect(self, raw: str) -> None:
        """Look for what only the whole value shows: depth, and texts that PostgreSQL or UTF-8 cannot hold."""
        if raw.count("[") + raw.count("{") > DEPTH_MAX and depth_of(self.value) > DEPTH_MAX:
            self._note(reason("nested_too_deep"))
        elif _ESCAPED_TROUBLE.search(raw) and not is_usable_text(self.value):
            self._note(reason("text_unusable"))

    def _note(self, found: Reason) -> None:
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(found)

    def _decimal(self, text: str) -> Decimal:
        try:
            return bounded_decimal(text)
        except ValueError as error:
            self._note(reason("number_out_of_range", f"{error}."))
            return Decimal(0)

    def _whole(self, text: str) -> int | Decimal:
        return exact_json.whole_number(text) if len(text) <= NUMBER_LENGTH_MAX else self._decimal(text)

    def _constant(self, text: str) -> None:
        self._note(reason("number_not_finite", f"{text} is not JSON."))

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _value in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            self._note(reason("duplicate_key", f"The name {twice[:60]!a} stands twice in one object."))
        return found


def depth_of(value: Any) -> int:
    """Count the levels of objects and arrays, without recursion."""
    depth, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, (dict, list))]:
        depth += 1
        level = [item for inner in level for item in (inner.values() if isinstance(inner, dict) else inner)]
    return depth


def is_usable_text(value: Any) -> bool:
    """Say that no text anywhere in the value holds NUL or half of a surrogate pair."""
    level = [value]
    while level:
        if any(isinstance(text, str) and not _is_storable(text) for text in level):
            return False
        objects = [inner for inner in level if isinstance(inner, dict)]
        arrays = [inner for inner in level if isinstance(inner, list)]
        names = [name for inner in objects for name in inner]
        level = [
            *names,
            *(item for inner in objects for item in inner.values()),
            *(i for inner in arrays for i in inner),
        ]
    return True


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
