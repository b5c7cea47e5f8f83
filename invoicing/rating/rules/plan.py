"""Prices of a whole plan: they rate the amounts of its other lines in the period, each as one line of its own.

The true-up of a minimum is what is missing, the maximum is a discount (Lago `create_true_up_service_spec`, OpenMeter).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import money
from invoicing.pricing.rules.params import CreditParams, PlanCommitmentParams, PlanDiscountParams
from invoicing.rating.rules import modify
from invoicing.rating.rules.catalogue import Terms
from invoicing.rating.rules.prepaid import use_credits
from invoicing.rating.rules.steps import Step, amount_step

# Discounts come before the limits, and credits pay what is left; each sees the lines of those before it.
ORDER = ("plan_discount", "commitment", "prepaid_credits")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line of the plan in the period: the code of its charge, and its rounded amount."""

    code: str
    amount: Decimal


def price_commitment(params: PlanCommitmentParams, lines: Sequence[PlanLine], terms: Terms) -> tuple[Step, ...]:
    """What is missing to the minimum, or (below 0) what goes beyond the maximum."""
    used = _sum(lines)
    for step in modify.limit_amount(params.limits, used, share=terms.share):
        return (amount_step(f"{step.label}; used {money.plain(used)}", amount=step.amount),)
    return (amount_step(f"Within the limits; used {money.plain(used)}", amount=Decimal(0)),)


def price_discount(params: PlanDiscountParams, lines: Sequence[PlanLine], _terms: Terms) -> tuple[Step, ...]:
    """The percentage off the lines it applies to, rounded as a line is by whoever bills it."""
    base = _sum(_chosen(lines, params.applies_to))
    label = f"Discount of {money.plain(params.discount_percent)} % on {money.plain(base)}"
    return (amount_step(label, amount=-(base * params.discount_percent.scaleb(-2))),)


def price_credits(params: CreditParams, lines: Sequence[PlanLine], terms: Terms) -> tuple[Step, ...]:
    """What the credits pay of the lines they apply to; never more than those come to, nor more than is there."""
    due = max(_sum(_chosen(lines, params.credits_apply_to)), Decimal(0))
    used = use_credits(balance=params.opening_balance, credit_rate=params.credit_rate, due=due, currency=terms.currency)
    label = f"Credits used: {money.plain(used.credits)} of {money.plain(params.opening_balance)}"
    return (amount_step(label, amount=-used.amount),)


PRICES: Mapping[str, Callable[..., tuple[Step, ...]]] = {
    "plan_discount": price_discount,
    "commitment": price_commitment,
    "prepaid_credits": price_credits,
}


def _chosen(lines: Sequence[PlanLine], codes: tuple[str, ...]) -> list[PlanLine]:
    return [line for line in lines if not codes or line.code in codes]


def _sum(lines: Iterable[PlanLine]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))
