"""What an invoice comes to, against figures worked out by hand (EN 16931 BR-CO-10, 13, 15, 17)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.cycle.rules import totals
from invoicing.cycle.rules.totals import OUTSIDE_SCOPE, TaxTerms

VAT_19 = TaxTerms(name="VAT", category="S", percent=Decimal(19))
VAT_7 = TaxTerms(name="VAT", category="S", percent=Decimal(7))
REVERSE = TaxTerms(name="Reverse charge", category="AE", percent=Decimal(0), note="Article 196")


def test_tax_is_rounded_once_per_rate_and_not_per_line() -> None:
    # 3 × 0.03 = 0.09 net, 19 % = 0.0171 → 0.02; per line it would be 3 × 0.0057 → 3 × 0.01 = 0.03
    found = totals.total_up([(VAT_19, Decimal("0.03"))] * 3, currency="EUR")
    assert (found.subtotal, found.tax, found.total) == (Decimal("0.09"), Decimal("0.02"), Decimal("0.11"))


def test_each_category_and_rate_has_its_own_sum() -> None:
    found = totals.total_up(
        [(VAT_19, Decimal("100.00")), (VAT_7, Decimal("50.00")), (VAT_19, Decimal("10.50")), (REVERSE, Decimal(8))],
        currency="EUR",
    )
    assert [(one.terms.category, one.terms.percent, one.taxable, one.tax) for one in found.taxes] == [
        ("AE", Decimal(0), Decimal(8), Decimal(0)),
        ("S", Decimal(7), Decimal(50), Decimal("3.50")),
        ("S", Decimal(19), Decimal("110.50"), Decimal("21.00")),  # 20.995, half up
    ]
    assert found.taxes[0].terms.note == "Article 196"
    assert (found.subtotal, found.tax, found.total) == (Decimal("168.50"), Decimal("24.50"), Decimal(193))


@pytest.mark.parametrize(
    ("currency", "net", "tax"),
    [
        ("JPY", "105", "11"),  # 10.5 → 11
        ("EUR", "10.05", "1.01"),  # 1.005 → 1.01
        ("KWD", "10.005", "1.001"),  # 1.0005 → 1.001
        ("EUR", "-10.05", "-1.01"),  # away from zero
    ],
)
def test_tax_is_rounded_half_up_to_the_decimals_of_the_currency(currency: str, net: str, tax: str) -> None:
    tenth = TaxTerms(name="VAT", category="S", percent=Decimal(10))
    assert totals.total_up([(tenth, Decimal(net))], currency=currency).tax == Decimal(tax)


def test_an_invoice_without_lines_comes_to_nothing() -> None:
    found = totals.total_up([], currency="EUR")
    assert (found.subtotal, found.taxes, found.tax, found.total) == (0, (), 0, 0)


def test_outside_the_scope_of_tax_there_is_none() -> None:
    found = totals.total_up([(OUTSIDE_SCOPE, Decimal("12.34"))], currency="USD")
    assert (found.tax, found.total) == (0, Decimal("12.34"))
    assert [(one.terms.category, one.taxable) for one in found.taxes] == [("O", Decimal("12.34"))]


cents = st.integers(-(10**9), 10**9).map(lambda minor: Decimal(minor) / 100)


@given(st.lists(st.tuples(st.sampled_from([VAT_19, VAT_7, REVERSE]), cents), max_size=30), st.randoms())
def test_the_order_of_the_lines_never_matters_and_the_parts_add_up(lines: list, random: object) -> None:  # type: ignore[type-arg]
    found = totals.total_up(lines, currency="EUR")
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {(one.terms.percent, one.tax) for one in totals.total_up(shuffled, currency="EUR").taxes} == {
        (one.terms.percent, one.tax) for one in found.taxes
    }
    assert found.subtotal == sum(amount for _, amount in lines)
    assert found.total == found.subtotal + sum(one.tax for one in found.taxes)
    assert all(abs(one.tax - one.taxable * one.terms.percent / 100) <= Decimal("0.005") for one in found.taxes)


def test_a_line_is_rounded_once_before_its_own_discounts() -> None:
    # 3 × 0.335 / 2 = 0.5025 → 0.50; − 0.10 + 0.03
    found = totals.line_amount(
        quantity=Decimal(3),
        price=Decimal("0.335"),
        base_quantity=Decimal(2),
        allowances=[Decimal("0.10")],
        charges=[Decimal("0.03")],
        currency="EUR",
    )
    assert found == Decimal("0.43")


def test_what_was_paid_in_advance_leaves_the_rest_to_be_paid() -> None:
    found = totals.total_up(
        [(VAT_19, Decimal("100.00"))], currency="EUR", prepaid=Decimal("20.00"), payable_rounding=Decimal("0.01")
    )
    assert (found.total, found.payable) == (Decimal(119), Decimal("99.01"))
