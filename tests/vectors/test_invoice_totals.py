"""Agreement with the official examples of EN 16931: line amounts, tax per category and rate, totals."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core import money
from invoicing.cycle.rules import totals
from invoicing.cycle.rules.totals import TaxTerms
from invoicing.pricing.rules.params import StandardParams
from invoicing.rating import rules
from invoicing.rating.rules.usage import Usage
from tests.vectors import cases
from tests.vectors.cases import Case


def terms_of(part: dict[str, Any]) -> TaxTerms:
    return TaxTerms(name="VAT", category=part["tax_category"], percent=percent_of(part, "tax_percent"))


def percent_of(part: dict[str, Any], name: str) -> Decimal:
    """The rate; what is outside the scope of tax (O) names none."""
    return Decimal(part.get(name) or 0)


def net_amounts(case: Case) -> Iterator[tuple[TaxTerms, Decimal]]:
    """Lines as the example prints them, then what it adds or takes off on the document."""
    given = case["params"]
    for line, amount in zip(given["lines"], case["expected"]["line_amounts"], strict=True):
        yield terms_of(line), Decimal(amount)
    for part in given["document_allowances_charges"]:
        yield terms_of(part), Decimal(part["amount"]) * (1 if part["kind"] == "charge" else -1)


@cases.parametrize("invoice_totals")
def test_totals(case: Case) -> None:
    cases.skip_if_excused("invoice_totals", case=case, group=case["kind"])
    expected = case["expected"]
    found = totals.total_up(net_amounts(case), currency=case["currency"])
    assert (found.subtotal, found.tax, found.total) == (
        Decimal(expected["total_without_vat"]),
        Decimal(expected["vat"]),
        Decimal(expected["total_with_vat"]),
    )
    printed = {
        (row["category"], percent_of(row, "percent"), Decimal(row["taxable"]), Decimal(row["tax"]))
        for row in expected["vat_breakdown"]
    }
    assert {(one.terms.category, one.terms.percent, one.taxable, one.tax) for one in found.taxes} == printed


@cases.parametrize("invoice_totals")
def test_plain_lines(case: Case) -> None:
    """Lines without a discount of their own and with a price for one unit are priced by our own rule.

    A line of a negative quantity is left out: here it is the difference of two rated amounts, never rated itself.
    """
    for line, amount in zip(case["params"]["lines"], case["expected"]["line_amounts"], strict=True):
        is_plain = line["price_base_quantity"] == "1" and not line.get("allowances_charges")
        if is_plain and Decimal(line["quantity"]) >= 0:
            price = StandardParams(unit_amount=Decimal(line["price"]))
            computed = rules.compute(model="standard", params=price, usage=Usage(Decimal(line["quantity"])))
            rounded = money.round_amount(computed.amount_exact, currency=case["currency"])
            assert rounded == Decimal(amount), line["id"]
