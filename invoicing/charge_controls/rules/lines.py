"""Which line of credit counts for a customer, and whether an exposure that was beyond it is low enough again."""

from dataclasses import dataclass
from decimal import Decimal

from core import rounding
from invoicing.policy.rules.charges import CreditExposure

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Line:
    """The amount that counts, and whether it is the policy's or the customer's own."""

    amount: Decimal
    limit_from: str


def line_of(control: CreditExposure, *, agreed: Decimal | None) -> Line:
    """A limit agreed with the customer counts only where the policy says so; silent, the policy's amount does."""
    if control.limit_from == "customer" and agreed is not None:
        return Line(agreed, "customer")
    return Line(control.amount, "policy")


def is_low_again(exposure: Decimal, *, line: Decimal, lift_percent: Decimal) -> bool:
    """Whether a line that was reached counts as left: below that percentage of it, so that nothing flutters."""
    with rounding.exactly():
        return exposure * HUNDRED < line * lift_percent
