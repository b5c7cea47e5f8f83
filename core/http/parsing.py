"""JSON bodies read strictly: decimals exact, no NaN, no duplicate keys, bounded size and depth."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.errors import DomainError

BODY_BYTES_MAX = 2 * 1024 * 1024
DEPTH_MAX = 60
DIGITS_MAX = 60
QUOTE, BACKSLASH = ord('"'), ord("\\")
OPENING, CLOSING = b"[{", b"]}"


class BodyTooLargeError(DomainError):
    """The body is larger than the call accepts."""

    code = "too_large"
    http_status = 413


def read_strict_json(text: bytes) -> Any:
    """Parse one JSON document; ValueError with one clear sentence for anything that is not plain, bounded JSON."""
    _refuse_depth(text)
    try:
        document = json.loads(
            text.decode("utf-8"),
            parse_float=_bounded_decimal,
            parse_int=_bounded_int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_duplicates,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise ValueError("the JSON is nested too deep") from error
    _refuse_bad_text(document)
    return document


def _refuse_depth(text: bytes) -> None:
    # An upper bound without parsing: brackets inside strings only make it stricter than needed past DEPTH_MAX.
    if text.count(b"[") + text.count(b"{") <= DEPTH_MAX:
        return
    depth, in_string, escaped = 0, False, False
    for byte in text:
        if escaped:
            escaped = False
        elif in_string:
            in_string, escaped = byte != QUOTE, byte == BACKSLASH
        elif byte == QUOTE:
            in_string = True
        elif byte in OPENING:
            depth += 1
            if depth > DEPTH_MAX:
                raise ValueError(f"the JSON is nested deeper than {DEPTH_MAX} levels")
        elif byte in CLOSING:
            depth -= 1


def _bounded_decimal(text: str) -> Decimal:
    if len(text) > DIGITS_MAX:
        raise ValueError(f"a number has more than {DIGITS_MAX} digits")
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent beyond what Decimal can hold
        raise ValueError(f"the number {text[:40]} is out of range") from error
    if abs(number.adjusted()) > DIGITS_MAX:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


def _bounded_int(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError(f"a number has more than {DIGITS_MAX} digits")
    return int(text)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return document


def _refuse_bad_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value if character > "\ud7ff"):
            raise ValueError("a text contains a NUL character or half of a surrogate pair")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_bad_text(name)
            _refuse_bad_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_bad_text(inner)


class StrictJSONParser(BaseParser):
    """The parser of every API call but event capture, which reads its own bodies."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLargeError(f"The body is larger than {BODY_BYTES_MAX // 1024} KiB.")
        try:
            return read_strict_json(body)
        except ValueError as error:
            raise ParseError(f"The body is not usable JSON: {error}.") from error
