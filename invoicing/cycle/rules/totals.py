"""What an invoice comes to: net lines, allowances and charges, tax once per category and rate, what is to be paid.

EN 16931: a line BT-131; sums BR-CO-10 to 16; tax BR-CO-17.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core import money, rounding

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTerms:
    """Under which category and rate something is taxed, and how the invoice says so."""

    name: str
    category: str
    percent: Decimal
    note: str = ""


OUTSIDE_SCOPE = TaxTerms(name="Outside the scope of tax", category="O", percent=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceCharge:
    """What is taken off (allowance, BG-20) or added (charge, BG-21) on the document, under one category and rate."""

    kind: Literal["allowance", "charge"]
    reason: str
    taxes: TaxTerms
    amount: Decimal
    percent: Decimal | None = None
    base: Decimal | None = None
    term_id: int = 0  # the stored agreement behind it

    @property
    def signed(self) -> Decimal:
        """How the sum of the lines changes by it."""
        return self.amount if self.kind == "charge" else -self.amount


@dataclass(frozen=True, slots=True)
class TaxSum:
    """Tax of one category and rate on the sum of its net amounts."""

    terms: TaxTerms
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """`subtotal` is the lines less allowances plus charges, `total` that plus `tax`, the sum of `taxes`."""

    lines: Decimal
    allowances: Decimal
    charges: Decimal
    subtotal: Decimal
    taxes: tuple[TaxSum, ...]
    tax: Decimal
    total: Decimal
    prepaid: Decimal
    payable_rounding: Decimal

    @property
    def payable(self) -> Decimal:
        """What is to be paid (BT-115); below zero it is in the customer's favour."""
        with rounding.exactly():
            return self.total - self.prepaid + self.payable_rounding


def line_amount(
    *,
    quantity: Decimal,
    price: Decimal,
    base_quantity: Decimal = Decimal(1),
    allowances: Iterable[Decimal] = (),
    charges: Iterable[Decimal] = (),
    currency: str,
) -> Decimal:
    """A line's net amount (BT-131): quantity at the price for `base_quantity`, rounded once, less and plus its own."""
    product = rounding.PRECISION.multiply(quantity, price)
    whole = money.round_amount(rounding.PRECISION.divide(product, base_quantity), currency=currency)
    with rounding.exactly():
        return whole - sum(allowances, NOTHING) + sum(charges, NOTHING)


def total_up(
    lines: Iterable[tuple[TaxTerms, Decimal]],
    *,
    currency: str,
    on_document: Iterable[AllowanceCharge] = (),
    prepaid: Decimal = NOTHING,
    payable_rounding: Decimal = NOTHING,
) -> Totals:
    """Add net amounts that are rounded already; the tax of each category and rate is rounded once, half up."""
    net, agreed = list(lines), list(on_document)
    with rounding.exactly():
        taxes = _tax_sums([*net, *((one.taxes, one.signed) for one in agreed)], currency=currency)
        subtotal = sum((one.taxable for one in taxes), NOTHING)
        tax = sum((one.tax for one in taxes), NOTHING)
        return Totals(
            lines=sum((amount for _, amount in net), NOTHING),
            allowances=sum((one.amount for one in agreed if one.kind == "allowance"), NOTHING),
            charges=sum((one.amount for one in agreed if one.kind == "charge"), NOTHING),
            subtotal=subtotal,
            taxes=taxes,
            tax=tax,
            total=subtotal + tax,
            prepaid=prepaid,
            payable_rounding=payable_rounding,
        )


def net_by_rate(amounts: Iterable[tuple[TaxTerms, Decimal]]) -> list[tuple[TaxTerms, Decimal]]:
    """The sum of each category and rate, in their order, under the words that came first."""
    by_rate: dict[tuple[str, Decimal], tuple[TaxTerms, Decimal]] = {}
    with rounding.exactly():
        for terms, amount in amounts:
            first, taxable = by_rate.get((terms.category, terms.percent), (terms, NOTHING))
            by_rate[terms.category, terms.percent] = (first, taxable + amount)
    return [found for _, found in sorted(by_rate.items(), key=lambda item: item[0])]


def _tax_sums(amounts: Iterable[tuple[TaxTerms, Decimal]], *, currency: str) -> tuple[TaxSum, ...]:
    return tuple(
        TaxSum(terms, taxable, money.round_amount(taxable * terms.percent / 100, currency=currency))
        for terms, taxable in net_by_rate(amounts)
    )
