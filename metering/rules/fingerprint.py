"""The SHA-256 that says whether two deliveries are the same event, and whether a stored one was changed."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from metering.rules import exact_json

# CloudEvents' distributed tracing: a sender's retry carries another trace and is still the same event.
TRACING = frozenset({"traceparent", "tracestate"})


def fingerprint_event(
    *, source: str, event_id: str, event_type: str, subject: str, time: str, data: bytes, extras: Mapping[str, Any]
) -> bytes:
    """Hash one event; `time` is canonical (`instants.instant_text`), `data` is canonical JSON (`exact_json.write`).

    Everything that goes in is a column of the accepted row, so the same bytes can be hashed again at any time.
    """
    if extras:
        extras = {name: value for name, value in extras.items() if name not in TRACING}
    head = orjson.dumps([source, event_id, event_type, subject, time])
    tail = b"null" if not extras else exact_json.write(extras)
    return hashlib.sha256(b"%b\n%b\n%b" % (head, data, tail)).digest()
