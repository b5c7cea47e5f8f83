"""Parameters of prices of a whole plan: they rate the amounts of its other lines in the period."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.pricing.rules.fields import Fields
from invoicing.pricing.rules.modifiers import LIMITS, Modifiers, read_modifiers, write_modifiers


@dataclass(frozen=True, slots=True)
class PlanCommitmentParams:
    """The least and the most that the lines of a plan come to in a period."""

    limits: Modifiers

    def as_json(self) -> dict[str, Any]:
        return write_modifiers(self.limits)


@dataclass(frozen=True, slots=True)
class PlanDiscountParams:
    """A percentage off the lines of a plan, or off those of some charges."""

    discount_percent: Decimal
    applies_to: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"discount_percent": money.plain(self.discount_percent)}
        return written | ({"applies_to": list(self.applies_to)} if self.applies_to else {})


@dataclass(frozen=True, slots=True)
class CreditParams:
    """Credits that are there at the start of each period and pay lines of a plan, or those of some charges.

    `credit_rate` is the money that one credit is worth.
    """

    opening_balance: Decimal
    credit_rate: Decimal
    credits_apply_to: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {
            "opening_balance": money.plain(self.opening_balance),
            "credit_rate": money.plain(self.credit_rate),
        }
        return written | ({"credits_apply_to": list(self.credits_apply_to)} if self.credits_apply_to else {})


def read_commitment(fields: Fields) -> PlanCommitmentParams:
    limits = read_modifiers(fields, kinds=(LIMITS,))
    if (limits.minimum_amount, limits.maximum_amount) == (None, None) and not fields.problems:
        fields.report("minimum_amount", "required", "Give a minimum_amount, a maximum_amount or both.")
    return PlanCommitmentParams(limits)


def read_plan_discount(fields: Fields) -> PlanDiscountParams:
    return PlanDiscountParams(fields.discount("discount_percent"), fields.texts("applies_to"))


def read_credits(fields: Fields) -> CreditParams:
    return CreditParams(
        opening_balance=fields.quantity("opening_balance"),
        credit_rate=fields.factor("credit_rate", default=Decimal(1)),
        credits_apply_to=fields.texts("credits_apply_to"),
    )
