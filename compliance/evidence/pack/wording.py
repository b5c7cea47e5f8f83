"""How values stand in the files of a pack: decimals and instants as text, names sorted, two blanks deep."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from core import money, personal_keys, told
from metering.rules import exact_json


def instant(at: datetime | None) -> str | None:
    """2026-10-01T00:00:00Z, in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def figure(number: Decimal | None) -> str | None:
    return None if number is None else money.plain(number)


def span(start: datetime, end: datetime) -> dict[str, Any]:
    """`[start, end)`."""
    return {"start": instant(start), "end": instant(end)}


def said(name: str, text: str) -> dict[str, str]:
    """What somebody wrote, as the audit chain has it; sealed words also as they can be read today.

    The salt proves them, for the sealed form promises the hash of both. Once the key is gone there is none, and the
    words are "erased on …".
    """
    sealed = told.kept(text)
    if sealed == text:
        return {name: text}
    salt = personal_keys.salt_of(sealed)
    return {name: text, f"{name}_in_words": str(text), **({f"{name}_salt": salt} if salt else {})}


def document(value: Any) -> bytes:
    """A file for people and programs; numbers from events and filters keep their digits, what is sealed stays so."""
    return (
        orjson.dumps(told.kept_within(value), default=_exact, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    )


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(exact_json.number_text(value))
    raise TypeError(f"{value!r} has no form in a pack")
