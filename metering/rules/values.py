"""What may be metered: bounded plain decimals, as JSON numbers or as text."""

import re
from decimal import Decimal
from typing import Any

VALUE_MAX = 10**15
DECIMALS_MAX = 18
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,40})?")


def find_flaw(value: Any) -> str | None:
    """Give the code that says why PostgreSQL could not count this value exactly; None for a value that it can."""
    if type(value) is int:
        return None if -VALUE_MAX <= value <= VALUE_MAX else "value_out_of_range"
    number = _number(value)
    if number is None:
        return "value_not_number"
    if not -VALUE_MAX <= number <= VALUE_MAX:
        return "value_out_of_range"
    exponent = number.as_tuple().exponent
    return "value_too_precise" if isinstance(exponent, int) and exponent < -DECIMALS_MAX else None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return Decimal(value)
    return None
