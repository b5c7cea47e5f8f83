"""How many people approve an invoice."""

from decimal import Decimal

import pytest

from invoicing.cycle.rules import approvals


@pytest.mark.parametrize(
    ("total", "second_above", "needed"),
    [
        ("10000.01", "10000.00", 2),
        ("10000.00", "10000.00", 1),
        ("9999.99", "10000.00", 1),
        ("-10000.01", "10000.00", 2),
        ("-10000.00", "10000.00", 1),
        ("0.00", "0", 1),
        ("0.01", "0", 2),
        ("1000000", None, 1),
    ],
)
def test_it_takes_two_above_the_amount_of_either_sign(total: str, second_above: str | None, needed: int) -> None:
    limit = None if second_above is None else Decimal(second_above)
    assert approvals.people_needed(total=Decimal(total), second_above=limit) == needed
