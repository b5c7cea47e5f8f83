"""Times in forms that need none, or count seconds."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from metering.rules.fingerprint import TIME_ASSIGNED
from metering.rules.instants import instant_text
from metering.rules.reading import Delivery, Unreadable

_SECONDS = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,12})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def assigned_time(time: str) -> dict[str, Any]:
    """The attributes of a time that we gave: a retry, which gets another, is still the same event."""
    return {"time": time, TIME_ASSIGNED: True}


def fill_time(delivery: Delivery, *, at: datetime) -> Delivery:
    """OpenMeter's form is a CloudEvent whose time may be left out."""
    if isinstance(delivery, Unreadable) or delivery.get("time") is not None:
        return delivery
    return delivery | assigned_time(instant_text(at))


def seconds_text(timestamp: Any) -> Any:
    """Write seconds since 1970, with a fraction if need be, as RFC 3339; anything else stays as it is."""
    text = str(timestamp)
    if isinstance(timestamp, bool) or not _SECONDS.fullmatch(text):
        return text if isinstance(timestamp, int | Decimal) else timestamp
    whole, _, fraction = text.partition(".")
    at = _EPOCH + timedelta(seconds=int(whole), microseconds=int(fraction[:6].ljust(6, "0")))
    return instant_text(at)
