"""What a running period will come to if usage goes on as it did so far."""

from collections.abc import Iterable
from decimal import Decimal

from core import money, rounding

SHARE_DECIMALS = 6


def elapsed_share(*, passed: int, whole: int) -> Decimal:
    """How much of a period is over, 0 to 1, cut to six decimals; both in the same unit of time."""
    if passed <= 0:
        return Decimal(0)
    if passed >= whole:
        return Decimal(1)
    with rounding.exactly():
        return Decimal(passed * 10**SHARE_DECIMALS // whole).scaleb(-SHARE_DECIMALS)


def project(
    *, payable: Decimal, lines: Iterable[tuple[Decimal, bool]], passed: int, whole: int, currency: str
) -> Decimal:
    """The payable at the end: what is used grows with time, what is agreed does not, tax and the rest go along.

    `lines` are amounts, each with whether it is for usage. Before anything has passed nothing is known, and what is
    payable now is the answer.
    """
    amounts = list(lines)
    now = sum((amount for amount, _ in amounts), Decimal(0))
    used = sum((amount for amount, is_usage in amounts if is_usage), Decimal(0))
    if passed <= 0 or passed >= whole or not used or not now:
        return payable
    with rounding.exactly():
        growth = used * (whole - passed)
        at_end = payable + rounding.divide(payable * growth, now * passed, scale=SHARE_DECIMALS)
    return money.round_amount(at_end, currency=currency)
