"""What was agreed for whole invoices becomes allowances, charges and a rounding of the document; worked out by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.cycle.rules import agreed
from invoicing.cycle.rules.agreed import Agreed, DocumentTerms
from invoicing.cycle.rules.totals import AllowanceCharge, TaxTerms, Totals

VAT_19 = TaxTerms(name="VAT", category="S", percent=Decimal(19))
VAT_7 = TaxTerms(name="VAT", category="S", percent=Decimal(7))
TENTH_OFF = Agreed(term_id=1, kind="allowance", reason="Volume discount", percent=Decimal(10))
HANDLING = Agreed(term_id=2, kind="charge", reason="Handling", amount=Decimal("5.00"))


def document(
    *lines: tuple[TaxTerms, str], terms: DocumentTerms, currency: str = "EUR"
) -> tuple[Totals, tuple[AllowanceCharge, ...]]:
    amounts = [(taxes, Decimal(amount)) for taxes, amount in lines]
    parts = agreed.apply_terms(amounts, terms=terms, taxes=VAT_19, currency=currency)
    sums = agreed.total_document(amounts, on_document=parts, rounds_to=terms.rounds_to, currency=currency)
    return sums, parts


def test_a_discount_and_a_charge_change_the_sum_that_is_taxed() -> None:
    # 100.00 - 10.00 + 5.00 = 95.00; 19 % = 18.05
    sums, parts = document((VAT_19, "60.00"), (VAT_19, "40.00"), terms=DocumentTerms(agreed=(TENTH_OFF, HANDLING)))
    assert [(part.kind, part.reason, part.percent, part.base, part.amount) for part in parts] == [
        ("allowance", "Volume discount", Decimal(10), Decimal("100.00"), Decimal("10.00")),
        ("charge", "Handling", None, None, Decimal("5.00")),
    ]
    assert (sums.lines, sums.allowances, sums.charges) == (Decimal(100), Decimal(10), Decimal(5))
    assert (sums.subtotal, sums.tax, sums.total, sums.payable) == (
        Decimal(95),
        Decimal("18.05"),
        Decimal("113.05"),
        Decimal("113.05"),
    )


def test_a_percentage_is_taken_of_each_rate_by_itself() -> None:
    sums, parts = document((VAT_19, "100.00"), (VAT_7, "50.05"), terms=DocumentTerms(agreed=(TENTH_OFF,)))
    assert [(part.taxes.percent, part.base, part.amount) for part in parts] == [
        (Decimal(7), Decimal("50.05"), Decimal("5.01")),  # 5.005, half up
        (Decimal(19), Decimal("100.00"), Decimal("10.00")),
    ]
    assert [(one.terms.percent, one.taxable) for one in sums.taxes] == [
        (Decimal(7), Decimal("45.04")),
        (Decimal(19), Decimal("90.00")),
    ]


def test_a_percentage_is_of_the_lines_alone() -> None:
    more = Agreed(term_id=3, kind="charge", reason="Fuel", percent=Decimal(10))
    _, parts = document((VAT_19, "100.00"), terms=DocumentTerms(agreed=(TENTH_OFF, HANDLING, more)))
    assert [part.amount for part in parts] == [Decimal(10), Decimal(5), Decimal(10)]


def test_a_discount_in_money_takes_off_no_more_than_there_is() -> None:
    gift = Agreed(term_id=4, kind="allowance", reason="Welcome", amount=Decimal("50.00"))
    sums, parts = document((VAT_19, "30.00"), terms=DocumentTerms(agreed=(gift,)))
    assert (parts[0].amount, sums.total) == (Decimal(30), Decimal(0))
    sums, parts = document((VAT_19, "-30.00"), terms=DocumentTerms(agreed=(gift,)))
    assert (parts[0].amount, sums.subtotal) == (Decimal(0), Decimal(-30))


def test_a_discount_on_a_negative_sum_gives_back_less() -> None:
    sums, _ = document((VAT_19, "-100.00"), terms=DocumentTerms(agreed=(TENTH_OFF,)))
    assert (sums.allowances, sums.subtotal, sums.tax) == (Decimal(-10), Decimal(-90), Decimal("-17.10"))


def test_a_term_of_nothing_says_nothing() -> None:
    over = Agreed(term_id=5, kind="allowance", reason="Over", percent=Decimal(0))
    over_too = Agreed(term_id=6, kind="charge", reason="Over", amount=Decimal(0))
    assert document((VAT_19, "10.00"), terms=DocumentTerms(agreed=(over, over_too)))[1] == ()


def test_an_invoice_without_lines_takes_nothing() -> None:
    assert document(terms=DocumentTerms(agreed=(HANDLING,)))[1] == ()


@pytest.mark.parametrize(
    ("payable", "to", "rounding"),
    [
        ("792.49", "1", "-0.49"),
        ("578.75", "1", "0.25"),
        ("10157.5", "1", "0.5"),  # half away from zero
        ("-10157.5", "1", "-0.5"),
        ("12.32", "0.05", "-0.02"),
        ("12.33", "0.05", "0.02"),
        ("12.00", "0.05", "0"),
    ],
)
def test_what_is_to_be_paid_is_rounded_to_the_nearest_multiple(payable: str, to: str, rounding: str) -> None:
    assert agreed.payable_rounding(Decimal(payable), to=Decimal(to)) == Decimal(rounding)


def test_the_rounding_leaves_total_and_tax_as_they_are() -> None:
    sums, _ = document((VAT_19, "10.00"), terms=DocumentTerms(rounds_to=Decimal(1)))
    assert (sums.total, sums.payable_rounding, sums.payable) == (Decimal("11.90"), Decimal("0.10"), Decimal("12.00"))


cents = st.integers(-(10**7), 10**7).map(lambda minor: Decimal(minor) / 100)


@given(
    st.lists(st.tuples(st.sampled_from([VAT_19, VAT_7]), cents), min_size=1, max_size=10),
    st.lists(st.sampled_from([TENTH_OFF, HANDLING]), max_size=4),
)
def test_the_parts_always_add_up(lines: list[tuple[TaxTerms, Decimal]], terms: list[Agreed]) -> None:
    parts = agreed.apply_terms(lines, terms=DocumentTerms(agreed=tuple(terms)), taxes=VAT_19, currency="EUR")
    sums = agreed.total_document(lines, on_document=parts, rounds_to=Decimal("0.05"), currency="EUR")
    assert sums.subtotal == sums.lines - sums.allowances + sums.charges == sum(one.taxable for one in sums.taxes)
    assert sums.total == sums.subtotal + sums.tax
    assert sums.payable % Decimal("0.05") == 0
    assert abs(sums.payable - sums.total) <= Decimal("0.025")
