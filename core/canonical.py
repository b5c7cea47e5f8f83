"""One canonical byte form of plain values, so that equal content has one SHA-256."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from core.told import Told

_PLAIN = (str, int, dict, list, tuple)  # a subclass of these, such as a choice of Django's, is written as they are
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def _plain_value(value: Any) -> Any:
    if isinstance(value, Told):
        return value.kept
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    plain = next((one for one in _PLAIN if isinstance(value, one)), None)
    if plain is not None:
        return plain(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def canonical_bytes(value: Any) -> bytes:
    """JSON with sorted keys, decimals as normalized strings and instants in UTC; TypeError for anything else.

    What was told of a person stands in it as it is kept: sealed.
    """
    return orjson.dumps(value, default=_plain_value, option=_OPTIONS)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
