"""Stretches of time as a customer's accountant reads them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def tell(start: datetime, end: datetime, *, zone: str) -> str:
    """1 Oct 2026 to 31 Oct 2026 where both are midnights of the customer, else to the minute."""
    here = [at.astimezone(ZoneInfo(zone)) for at in (start, end)]
    if all((at.hour, at.minute, at.second) == (0, 0, 0) for at in here):
        first, last = (f"{at:%-d %b %Y}" for at in (here[0], here[1] - timedelta(days=1)))
        return first if first == last else f"{first} to {last}"
    begun, ended = (f"{at:%-d %b %Y %H:%M}" for at in here)
    return f"from {begun} until {ended} ({zone})"
