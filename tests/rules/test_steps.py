"""Steps of a computation: as many as can be kept, whose sums are exact."""

from decimal import Decimal

from invoicing.rating.rules import steps
from invoicing.rating.rules.steps import Step


def of(number: int) -> Step:
    return steps.units_step(f"region {number}", quantity=Decimal(number), unit_price=Decimal("0.1"))


def test_a_long_table_is_cut_and_the_rest_is_one_step_with_exact_sums() -> None:
    table = [of(number) for number in range(1, 6)]
    first, second, rest = steps.shorten(table, most=3)
    assert (first, second) == (table[0], table[1])
    assert (rest.label, rest.quantity, rest.amount) == ("And 3 more", 12, Decimal("1.2"))
    assert steps.total((first, second, rest)) == Decimal("1.5")
    assert steps.units_left([step.as_json() for step in (first, second, rest)], quantity=Decimal(15)) == 0


def test_a_table_that_fits_is_kept_as_it_is() -> None:
    table = [of(number) for number in range(3)]
    assert steps.shorten(table, most=3) == tuple(table)
