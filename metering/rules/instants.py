"""When an event happened: RFC 3339 in, one canonical UTC text and an instant of whole microseconds out."""

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,30}))?"
    r"(?P<offset>[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_MICROSECOND_DIGITS = 6


class Instant(NamedTuple):
    """`text` is the canonical form of `at`; `is_exact` says that the text as sent meant no more than that."""

    at: datetime
    text: str
    is_exact: bool


def read_instant(text: str) -> Instant:
    """Read an RFC 3339 instant; digits past the microsecond are cut, never rounded up; ValueError for anything else.

    A leap second (23:59:60 UTC at the end of a month) is the last microsecond of that month: it never moves an
    event into the next period.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not an RFC 3339 instant such as 2026-11-20T10:00:00Z")
    second, fraction, offset = match.groups()
    try:
        if second == "60":
            return _leap_second(text)
        at = datetime.fromisoformat(text.upper())
        if offset == "Z" and text[10] == "T" and (fraction is None or _is_canonical(fraction)):
            return Instant(at, text, is_exact=True)
        at = at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is outside the years 1 to 9999") from error
    return Instant(at, instant_text(at), is_exact=fraction is None or len(fraction) <= _MICROSECOND_DIGITS)


def instant_text(at: datetime) -> str:
    """Write an instant in UTC with `Z`, and with as many decimals as it needs."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _is_canonical(fraction: str) -> bool:
    return len(fraction) <= _MICROSECOND_DIGITS and fraction[-1] != "0"


def _leap_second(text: str) -> Instant:
    before = datetime.fromisoformat(re.sub(r":60(?:\.[0-9]+)?", ":59.999999", text.upper(), count=1)).astimezone(UTC)
    is_month_end = before.day == calendar.monthrange(before.year, before.month)[1]
    if not is_month_end or before + timedelta(microseconds=1) != _next_midnight(before):
        raise ValueError(f"{text[:40]!r} is not a leap second: those end a month, at 23:59:60 UTC")
    return Instant(before, instant_text(before), is_exact=False)


def _next_midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
