"""Checks of codes that come from outside lists: countries, currencies and time zones."""

import zoneinfo

from babel import Locale, numbers

_ENGLISH = Locale("en")
COUNTRIES = frozenset(code for code in map(str, _ENGLISH.territories) if code.isalpha() and len(code) == len("DE"))
CURRENCIES = frozenset(numbers.list_currencies())
TIME_ZONES = frozenset(zoneinfo.available_timezones())


def is_country(code: str) -> bool:
    """ISO 3166-1 alpha-2, such as DE."""
    return code in COUNTRIES


def is_currency(code: str) -> bool:
    """ISO 4217, such as EUR."""
    return code in CURRENCIES


def is_time_zone(name: str) -> bool:
    """IANA, such as Europe/Berlin."""
    return name in TIME_ZONES
