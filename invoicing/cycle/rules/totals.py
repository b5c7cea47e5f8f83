"""What an invoice comes to: net lines, tax once per category and rate, total (EN 16931 BR-CO-10, 13, 15 and 17)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTerms:
    """Under which category and rate something is taxed, and how the invoice says so."""

    name: str
    category: str
    percent: Decimal
    note: str = ""


OUTSIDE_SCOPE = TaxTerms(name="Outside the scope of tax", category="O", percent=Decimal(0))


@dataclass(frozen=True, slots=True)
class TaxSum:
    """Tax of one category and rate on the sum of its net amounts."""

    terms: TaxTerms
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """`total` is `subtotal` plus `tax`, and `tax` the sum of `taxes`."""

    subtotal: Decimal
    taxes: tuple[TaxSum, ...]
    tax: Decimal
    total: Decimal


def total_up(amounts: Iterable[tuple[TaxTerms, Decimal]], *, currency: str) -> Totals:
    """Add net amounts that are rounded already; the tax of each category and rate is rounded once, half up."""
    by_rate: dict[tuple[str, Decimal], tuple[TaxTerms, Decimal]] = {}
    with rounding.exactly():
        for terms, amount in amounts:
            first, taxable = by_rate.get((terms.category, terms.percent), (terms, Decimal(0)))
            by_rate[terms.category, terms.percent] = (first, taxable + amount)
        taxes = tuple(
            TaxSum(terms, taxable, money.round_amount(taxable * terms.percent / 100, currency=currency))
            for _, (terms, taxable) in sorted(by_rate.items(), key=lambda item: item[0])
        )
        subtotal = sum((one.taxable for one in taxes), Decimal(0))
        tax = sum((one.tax for one in taxes), Decimal(0))
        return Totals(subtotal=subtotal, taxes=taxes, tax=tax, total=subtotal + tax)
