"""The SHA-256 that says whether two deliveries are the same event, and whether a stored one was changed."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from metering.rules import exact_json

TIME_ASSIGNED = "timeassigned"
# CloudEvents' distributed tracing: a sender's retry carries another trace and is still the same event.
TRACING = frozenset({"traceparent", "tracestate"})


def fingerprint_event(*names: str, data: bytes, extras: Mapping[str, Any]) -> bytes:
    """Hash one event: `names` are source, id, type, subject and time, `data` is canonical JSON (`exact_json.write`).

    The time is canonical too (`instants.instant_text`); one that we gave, because the sender's form needs none
    (`timeassigned`), says nothing about which event it is, so a retry is the same event. Everything that goes in is a
    column of the accepted row, so the same bytes can be hashed again at any time.
    """
    if extras and extras.get(TIME_ASSIGNED) is True:
        names = names[:-1]
    kept = {name: value for name, value in extras.items() if name not in TRACING} if extras else None
    tail = exact_json.write(kept) if kept else b"null"
    return hashlib.sha256(b"%b\n%b\n%b" % (orjson.dumps(names), data, tail)).digest()
