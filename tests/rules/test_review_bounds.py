"""What is far outside a customer's past, by hand; what grows as businesses do is not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from invoicing.cycle.rules import bounds
from invoicing.cycle.rules.bounds import Past

MONTH = timedelta(days=30)
CASES = [
    # what was billed before, what is billed now, whether it is far (5 times, worth looking at from 0)
    ("as ever", ["100", "100", "100"], "100", False),
    ("a month of growth", ["100", "120", "150"], "190", False),
    ("doubling every month", ["100", "200", "400"], "800", False),
    ("four times the greatest", ["90", "100", "110"], "440", False),
    ("five times the greatest exactly", ["90", "100", "110"], "550", False),
    ("a cent more than five times", ["90", "100", "110"], "550.01", True),
    ("a decimal point slipped", ["90", "100", "110"], "1000", True),
    ("a fifth of the least exactly", ["90", "100", "110"], "18", False),
    ("less than a fifth of the least", ["90", "100", "110"], "17.99", True),
    ("a meter gone silent", ["90", "100", "110"], "0", True),
    ("a seasonal customer between its extremes", ["10", "900", "15"], "700", False),
    ("one quiet month before", ["100", "0", "100"], "120", False),
    ("silent again after a quiet month", ["100", "0", "100"], "0", False),
    ("nothing but zeros before", ["0", "0", "0"], "5000", False),
    ("one month of use after two of none", ["0", "0", "10"], "60", True),
    ("no past", [], "9999", False),
    ("one period is no past", ["100"], "9999", False),
    ("two periods are", ["100", "100"], "9999", True),
    ("a discount as ever", ["-10", "-12"], "-11", False),
    ("a discount ten times as large", ["-10", "-12"], "-120", True),
    ("a discount that became a charge", ["-10", "-12"], "12", True),
    ("a charge that became a credit", ["10", "12"], "-1", True),
    ("now below, now above nothing", ["-10", "10"], "-20", False),
    ("now below, now above nothing, and far below", ["-10", "10"], "-50.01", True),
]


@pytest.mark.parametrize(("name", "before", "now", "is_far"), CASES, ids=[case[0] for case in CASES])
def test_the_table(name: str, before: list[str], now: str, is_far: bool) -> None:
    past = [Past(Decimal(amount), MONTH) for amount in before]
    found = bounds.find_unusual(amount=Decimal(now), length=MONTH, past=past, times=Decimal(5), worth=Decimal(0))
    assert (found is not None) is is_far, name


def test_both_figures_are_given() -> None:
    past = [Past(Decimal(amount), MONTH) for amount in ("90", "100", "110")]
    found = bounds.find_unusual(amount=Decimal(1000), length=MONTH, past=past, times=Decimal(5), worth=Decimal(0))
    assert found is not None
    assert (found.amount, found.least, found.greatest, found.periods) == (1000, 90, 110, 3)
    assert found.is_above


@pytest.mark.parametrize(("worth", "is_far"), [("890", True), ("890.01", False)])
def test_a_difference_that_is_not_worth_a_look_is_left_alone(worth: str, is_far: bool) -> None:
    past = [Past(Decimal(110), MONTH)] * 2
    found = bounds.find_unusual(amount=Decimal(1000), length=MONTH, past=past, times=Decimal(5), worth=Decimal(worth))
    assert (found is not None) is is_far


def test_a_short_last_period_is_compared_by_its_share() -> None:
    past = [Past(Decimal(300), MONTH)] * 3
    three_days = timedelta(days=3)  # a tenth: 30.00 is usual, 6.00 the least that is near
    for amount, is_far in (("30", False), ("6", False), ("5.99", True), ("150", False), ("150.01", True)):
        found = bounds.find_unusual(
            amount=Decimal(amount), length=three_days, past=past, times=Decimal(5), worth=Decimal(0)
        )
        assert (found is not None) is is_far, amount


def test_february_is_as_long_as_march() -> None:
    past = [Past(Decimal(100), timedelta(days=31))] * 2
    [found] = [
        bounds.find_unusual(
            amount=Decimal(600), length=timedelta(days=28), past=past, times=Decimal(5), worth=Decimal(0)
        )
    ]
    assert found is not None
    assert (found.least, found.greatest) == (100, 100)
