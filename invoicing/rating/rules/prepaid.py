"""Prepaid credits: what they pay of an amount, and what a top-up buys (Lago wallet specs)."""

from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding

CREDIT_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class CreditsUsed:
    """The money that was paid, the credits that took, and the credits that are left."""

    amount: Decimal
    credits: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class TopUp:
    """The money of a top-up, and the credits that it buys; one whose money rounds to 0 is to be refused."""

    amount: Decimal
    credits: Decimal

    @property
    def is_refused(self) -> bool:
        return self.amount <= 0


def use_credits(*, balance: Decimal, credit_rate: Decimal, due: Decimal, currency: str) -> CreditsUsed:
    """Pay what is due, as far as the credits go: whole minor units, and never below a balance of 0."""
    exponent = money.currency_exponent(currency)
    worth = rounding.round_to_scale(balance * credit_rate, scale=exponent, mode="floor")
    amount = min(due, worth)
    used = min(balance, rounding.divide(amount, credit_rate, scale=CREDIT_DECIMALS))
    return CreditsUsed(amount, used, balance - used)


def top_up(*, worth: Decimal, credit_rate: Decimal, currency: str) -> TopUp:
    """What is asked for is rounded to money that can be paid, and the credits follow from that money."""
    amount = money.round_amount(worth, currency=currency)
    return TopUp(amount, rounding.divide(amount, credit_rate, scale=CREDIT_DECIMALS))
