"""What is given back of a fee paid ahead."""

from decimal import Decimal

import pytest

from invoicing.rating.rules import unused_fees
from invoicing.rating.rules.unused_fees import Credit


def test_the_unused_share_of_what_was_paid_is_rounded_and_then_taxed() -> None:
    """Lago `invoices_spec`: 11 of 17 days of 5.48 are 3.5459, and 20 % of 3.55 is 0.71."""
    found = unused_fees.credit_unused(
        paid_net=Decimal("5.48"), unused=11, paid_for=17, tax_percent=Decimal(20), currency="EUR"
    )
    assert found == Credit(net=Decimal("3.55"), tax=Decimal("0.71"))
    assert found.gross == Decimal("4.26")


def test_a_currency_without_decimals_is_credited_in_whole_units() -> None:
    found = unused_fees.credit_unused(
        paid_net=Decimal(1000), unused=1, paid_for=3, tax_percent=Decimal(10), currency="JPY"
    )
    assert found == Credit(net=Decimal(333), tax=Decimal(33))


@pytest.mark.parametrize(("unused", "net"), [(0, "0"), (17, "5.48")])
def test_nothing_unused_gives_nothing_back_and_everything_unused_all(unused: int, net: str) -> None:
    found = unused_fees.credit_unused(
        paid_net=Decimal("5.48"), unused=unused, paid_for=17, tax_percent=Decimal(0), currency="EUR"
    )
    assert found.gross == Decimal(net)


@pytest.mark.parametrize(("unused", "paid_for"), [(18, 17), (-1, 17), (0, 0)])
def test_a_share_that_is_none_is_refused(unused: int, paid_for: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        unused_fees.credit_unused(
            paid_net=Decimal(1), unused=unused, paid_for=paid_for, tax_percent=Decimal(0), currency="EUR"
        )


@pytest.mark.parametrize(
    ("wanted", "paid", "credited", "given"),
    [(100, 200, 0, 100), (100, 200, 150, 50), (100, 200, 200, 0), (100, 200, 250, 0), (100, 0, 0, 0), (0, 200, 0, 0)],
)
def test_a_credit_is_never_more_than_is_left_of_what_was_paid(
    wanted: int, paid: int, credited: int, given: int
) -> None:
    found = unused_fees.cap_credit(wanted=Decimal(wanted), paid=Decimal(paid), credited=Decimal(credited))
    assert found == given
