"""What a correction bills where credit notes gave part of the line back, and what can still be given back."""

from decimal import Decimal

import pytest

from invoicing.cycle.rules import corrections


@pytest.mark.parametrize(
    ("rated", "billed", "credited", "due"),
    [
        ("12", "10", "0", "2"),  # more was used
        ("4", "10", "0", "-6"),  # less was used
        ("12", "10", "-6", "2"),  # more was used, and what was granted stays granted
        ("4", "10", "-6", "0"),  # the credit has given it back already
        ("2", "10", "-6", "-2"),  # the credit has given back 6 of 8
        ("6", "10", "-6", "0"),  # the credit gave back more than is due: nothing is charged for that
        ("-4", "-10", "6", "0"),  # a discount, granted 10 and taken back by 6, is worth 4
        ("-2", "-10", "6", "2"),
        ("10", "10", "-6", "0"),
    ],
)
def test_a_correction_never_gives_back_twice(rated: str, billed: str, credited: str, due: str) -> None:
    assert corrections.due_difference(
        rated=Decimal(rated), billed=Decimal(billed), credited=Decimal(credited)
    ) == Decimal(due)


@pytest.mark.parametrize(
    ("amount", "corrected", "credited", "left"),
    [
        ("10", "0", "0", "10"),
        ("10", "0", "-4", "6"),
        ("10", "-3", "-4", "3"),
        ("10", "5", "-4", "6"),  # what was billed on top stands on another document
        ("10", "0", "-10", "0"),
        ("10", "-10", "-1", "0"),
        ("-10", "3", "0", "-7"),
        ("-10", "-3", "4", "-6"),
        ("0", "0", "0", "0"),
    ],
)
def test_what_is_left_of_a_line_is_what_was_not_given_back(
    amount: str, corrected: str, credited: str, left: str
) -> None:
    found = corrections.creditable(amount=Decimal(amount), corrected=Decimal(corrected), credited=Decimal(credited))
    assert found == Decimal(left)
