"""How figures, dates and spans read in print: exact, grouped, in the document's locale and the customer's time zone."""

import re
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal, localcontext
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern

from core import money, rounding

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def amount_text(amount: Decimal, *, currency: str, locale: str) -> str:
    """12.5 EUR → 12.50; ValueError for an amount that its currency cannot express, rather than another figure."""
    exponent = money.currency_exponent(currency)
    if money.round_amount(amount, currency=currency) != amount:
        raise ValueError(f"{amount} is not an amount of {currency}, which has {exponent} decimals")
    return _grouped(amount, locale=locale, decimals=exponent)


def number_text(number: Decimal, *, locale: str) -> str:
    """Every decimal there is and no more: 1234567.500 → 1,234,567.5."""
    _, _, fraction = money.plain(number).partition(".")
    return _grouped(number, locale=locale, decimals=len(fraction))


def price_text(price: Decimal, *, currency: str, locale: str) -> str:
    """A price or an amount before rounding: every decimal there is, and at least those of its currency: 49 → 49.00."""
    _, _, fraction = money.plain(price).partition(".")
    return _grouped(price, locale=locale, decimals=max(len(fraction), money.currency_exponent(currency)))


def quoted_price_text(price: str, *, currency: str, locale: str) -> str:
    """A unit price as it was quoted: a plain decimal, or a phrase such as "5.00 per 1,000", which stands as it is."""
    return price_text(Decimal(price), currency=currency, locale=locale) if _PLAIN.fullmatch(price) else price


def percent_text(percent: Decimal, *, locale: str) -> str:
    return f"{number_text(percent, locale=locale)}%"


def date_text(day: date, *, locale: str) -> str:
    """With the month as a word, so that nobody takes the 5th of October for the 10th of May."""
    return format_date(day, "d MMM yyyy", locale=locale)


def span_text(start: datetime, end: datetime, *, zone: str, locale: str) -> str:
    """`[start, end)` as people say it: the last day is inside, and a time stands only where a day is cut."""
    first, last = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    ends_with_day = last.time() == time.min
    last_day = last.date() - timedelta(days=1) if ends_with_day else last.date()
    if first.time() == time.min and ends_with_day:
        return _days_text(first.date(), last_day, locale=locale)
    until = date_text(last_day, locale=locale) + ("" if ends_with_day else f", {_time_text(last, locale=locale)}")
    return f"{date_text(first.date(), locale=locale)}, {_time_text(first, locale=locale)} – {until}"


def _days_text(first: date, last: date, *, locale: str) -> str:
    if first == last:
        return date_text(first, locale=locale)
    if first.year != last.year:
        return f"{date_text(first, locale=locale)} – {date_text(last, locale=locale)}"
    short = "d" if first.month == last.month else "d MMM"
    return f"{format_date(first, short, locale=locale)} – {date_text(last, locale=locale)}"


def _time_text(moment: datetime, *, locale: str) -> str:
    """Minutes will do, except where somebody cut inside one."""
    cut_inside = moment.second or moment.microsecond
    return format_time(moment.time(), "HH:mm:ss" if cut_inside else "HH:mm", locale=locale)


def _grouped(number: Decimal, *, locale: str, decimals: int) -> str:
    with localcontext(
        rounding.PRECISION
    ):  # Babel computes in the context it finds, and the usual one ends at 28 digits
        return str(_pattern(locale, decimals).apply(number, locale))


@cache
def _pattern(locale: str, decimals: int) -> NumberPattern:
    """The locale's own grouping, with a fixed number of decimals."""
    pattern: NumberPattern = copy(Locale.parse(locale).decimal_formats[None])
    pattern.frac_prec = (decimals, decimals)
    return pattern
