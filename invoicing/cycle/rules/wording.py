"""The words of an invoice line."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core import money, rounding
from core.periods import Period

DESCRIPTION_LENGTH_MAX = 200


def adjustment(*, charge_name: str, period: Period, zone: str) -> str:
    """Name an adjustment by the period it corrects, in the customer's days: first and last."""
    return f"Adjustment of {_days(period, zone=zone)}: {charge_name}"[:DESCRIPTION_LENGTH_MAX]


def unused_time(*, charge_name: str, period: Period, zone: str) -> str:
    """Name what is given back of a fee that was billed in advance, by the time that it was for."""
    return f"Unused time of {_days(period, zone=zone)}: {charge_name}"[:DESCRIPTION_LENGTH_MAX]


def unusual_figure(
    *, name: str, amount: Decimal, least: Decimal, greatest: Decimal, periods: int, times: Decimal, currency: str
) -> str:
    """Name both figures: what it comes to, and what it came to before."""
    now, low, high = (money.amount_text(figure, currency=currency) for figure in (amount, least, greatest))
    was = low if low == high else f"{low} to {high}"
    far = "times the greatest" if amount > greatest else "times less than the least"
    return (
        f"{name} comes to {now} {currency}; the last {periods} invoices had {was}. More than {money.plain(times)} {far}"
        " is looked at before it is sent."
    )


def _days(period: Period, *, zone: str) -> str:
    first = period.start.astimezone(ZoneInfo(zone)).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
    return f"{first} to {last}"


def unit_price(steps: Sequence[dict[str, Any]], *, quantity: Decimal) -> str:
    """The price that times `quantity` is the whole amount; empty where tiers, packages, fees or shares come in."""
    if len(steps) != 1:
        return ""
    price, units = Decimal(steps[0]["unit_price"]), Decimal(steps[0]["quantity"])
    with rounding.exactly():
        simple = units == quantity and units * price == Decimal(steps[0]["amount"])
    return str(steps[0]["unit_price"]) if simple else ""
