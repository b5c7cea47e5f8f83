"""What changed between two invoices, charge by charge."""

from decimal import Decimal

import pytest

from invoicing.cycle.rules import changes
from invoicing.cycle.rules.changes import Figure


def figure(key: str, quantity: str, amount: str) -> Figure:
    return Figure(key=key, label=key.title(), unit="unit", quantity=Decimal(quantity), amount=Decimal(amount))


def test_equal_keys_are_added_up_and_compared() -> None:
    before = [figure("tokens", "1000", "2.00"), figure("tokens", "500", "1.50")]
    [change] = changes.compare(before, [figure("tokens", "2000", "4.00")])
    assert (change.quantity, change.amount, change.percent) == (Decimal(500), Decimal("0.50"), Decimal("14.3"))
    assert change.is_change


def test_what_is_new_and_what_fell_away_stand_on_one_side_only() -> None:
    came, went = changes.compare([figure("seats", "3", "30.00")], [figure("tokens", "10", "1.00")])
    assert (came.label, came.before, came.amount, came.percent) == ("Tokens", None, Decimal("1.00"), None)
    assert (went.label, went.after, went.amount, went.percent) == ("Seats", None, Decimal("-30.00"), Decimal("-100.0"))


def test_the_later_side_gives_the_order() -> None:
    before = [figure("a", "1", "1"), figure("b", "1", "1"), figure("c", "1", "1")]
    after = [figure("c", "1", "1"), figure("a", "1", "1")]
    assert [change.label for change in changes.compare(before, after)] == ["C", "A", "B"]


def test_the_same_on_both_sides_is_no_change() -> None:
    [change] = changes.compare([figure("a", "1", "5.00")], [figure("a", "1", "5.00")])
    assert not change.is_change
    assert change.percent == Decimal("0.0")


def test_another_quantity_for_the_same_amount_is_a_change() -> None:
    [change] = changes.compare([figure("a", "1", "5.00")], [figure("a", "2", "5.00")])
    assert change.is_change


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ("100", "150", "50.0"),
        ("100", "0", "-100.0"),
        ("-100", "-150", "-50.0"),
        ("-100", "100", "200.0"),
        ("3", "4", "33.3"),
        ("8", "9", "12.5"),
        ("2000", "2001", "0.1"),  # 0.05, half up
        ("0", "5", None),
    ],
)
def test_a_percentage_is_of_what_was_and_says_its_direction(before: str, after: str, percent: str | None) -> None:
    found = changes.percent_of_change(before=Decimal(before), after=Decimal(after))
    assert found == (None if percent is None else Decimal(percent))
