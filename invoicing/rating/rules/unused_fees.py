"""What is given back of a fee paid ahead: a share of what was paid, and never more than is left of it."""

from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount to give back, rounded, and the tax that goes with it."""

    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


def credit_unused(*, paid_net: Decimal, unused: int, paid_for: int, tax_percent: Decimal, currency: str) -> Credit:
    """The share `unused` / `paid_for` of a net amount that was paid, rounded, and then taxed.

    Counted from what was paid, not from the price, so that a discount is not given back (Lago `invoices_spec`).
    """
    if not 0 <= unused <= paid_for or paid_for == 0:
        raise ValueError(f"{unused} of {paid_for} is no share")
    scale = money.currency_exponent(currency)
    net = rounding.share_of(paid_net, part=unused, whole=paid_for, scale=scale)
    with rounding.exactly():
        tax = rounding.round_to_scale(net * tax_percent / PERCENT, scale=scale)
    return Credit(net, tax)


def cap_credit(*, wanted: Decimal, paid: Decimal, credited: Decimal) -> Decimal:
    """What of a credit may be given: never more than was paid less what was given back before, never below 0."""
    return max(min(wanted, paid - credited), Decimal(0))
