"""Agreement with the official examples of EN 16931: line amounts, tax, totals, what is to be paid."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from core import money
from invoicing.cycle.rules import totals
from invoicing.cycle.rules.totals import AllowanceCharge, TaxTerms, Totals
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


def amounts_of(parts: Sequence[dict[str, Any]], kind: str) -> list[Decimal]:
    return [Decimal(part["amount"]) for part in parts if part["kind"] == kind]


def line_amounts(case: Case) -> Iterator[Decimal]:
    """Quantity at the price for the base quantity, then what the line itself takes off or adds."""
    for line in case["params"]["lines"]:
        own = line.get("allowances_charges", [])
        yield totals.line_amount(
            quantity=Decimal(line["quantity"]),
            price=Decimal(line["price"]),
            base_quantity=Decimal(line["price_base_quantity"]),
            allowances=amounts_of(own, "allowance"),
            charges=amounts_of(own, "charge"),
            currency=case["currency"],
        )


def on_document(case: Case) -> Iterator[AllowanceCharge]:
    for part in case["params"]["document_allowances_charges"]:
        kind: Any = part["kind"]
        yield AllowanceCharge(kind=kind, reason="", taxes=terms_of(part), amount=Decimal(part["amount"]))


def total_up(case: Case) -> Totals:
    given = case["params"]
    lines = zip((terms_of(line) for line in given["lines"]), line_amounts(case), strict=True)
    return totals.total_up(
        lines,
        currency=case["currency"],
        on_document=on_document(case),
        prepaid=Decimal(given["prepaid"]),
        payable_rounding=Decimal(given["rounding"]),
    )


def stated(case: Case) -> dict[str, Any]:
    """Every figure that the case states, as numbers; tax rows without their order."""
    figures = {name: value for name, value in case["expected"].items() if name != "vat_breakdown"}
    read: dict[str, Any] = {
        name: [Decimal(each) for each in value] if isinstance(value, list) else Decimal(value)
        for name, value in figures.items()
    }
    return read | {
        "vat_breakdown": {
            (row["category"], percent_of(row, "percent"), Decimal(row["taxable"]), Decimal(row["tax"]))
            for row in case["expected"]["vat_breakdown"]
        }
    }


@cases.parametrize("invoice_totals")
def test_every_figure_is_the_one_that_the_example_states(case: Case) -> None:
    cases.skip_if_excused("invoice_totals", case=case, group=case["kind"])
    found = total_up(case)
    assert stated(case) == {
        "line_amounts": list(line_amounts(case)),
        "sum_of_lines": found.lines,
        "allowances": found.allowances,
        "charges": found.charges,
        "total_without_vat": found.subtotal,
        "vat": found.tax,
        "total_with_vat": found.total,
        "payable": found.payable,
        "vat_breakdown": {(one.terms.category, one.terms.percent, one.taxable, one.tax) for one in found.taxes},
    }


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
