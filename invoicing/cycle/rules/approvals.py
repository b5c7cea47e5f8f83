"""How many people in finance approve an invoice."""

from decimal import Decimal


def people_needed(*, total: Decimal, second_above: Decimal | None) -> int:
    """Two where the total, of either sign, is above the amount; one where it is not, or where policy names none."""
    return 2 if second_above is not None and abs(total) > second_above else 1
