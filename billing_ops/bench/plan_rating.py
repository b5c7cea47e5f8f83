"""Prices measured beside those of one quantity: a fee program, and charges on the other lines of a plan."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from billing_ops.bench.subject import Subject
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.rating import rules
from invoicing.rating.rules import PlanLine
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Part, Usage

ZERO = Decimal(0)
LINES = 20
ACCOUNTS = 5
RATE, FIXED, PER_ACCOUNT = Decimal("0.0025"), Decimal("0.25"), Decimal(2)
TABLE = {"currency": "EUR", "rate_percent": "0.25", "fixed": str(FIXED), "per_account": str(PER_ACCOUNT)}
LEAST, MOST = Decimal(9000), Decimal(15000)
BALANCE = Decimal(10000)


def subjects() -> list[Subject]:
    """Twenty payouts to five accounts; twenty lines that a plan takes a part of, tops up, caps or has paid."""
    lines = [_lines(offset) for offset in range(40)]
    limits = {"minimum_amount": str(LEAST), "maximum_amount": str(MOST)}
    credit = {"opening_balance": str(BALANCE), "credit_rate": "1"}
    return [
        Subject("fee program, 20 payouts", _price_payouts, [_payouts(n) for n in range(40)], _payout_fee, LINES),
        _of_plan("plan discount on 20 lines", "plan_discount", {"discount_percent": "12.5"}, lines, _discount),
        _of_plan("plan commitment over 20 lines", "commitment", limits, lines, _commitment),
        _of_plan("prepaid credits for 20 lines", "prepaid_credits", credit, lines, _credits),
    ]


def _of_plan(name: str, model: str, params: dict[str, Any], inputs: Sequence[Any], bare: Any) -> Subject:
    price = price_params.parse_params(model=model, params=params)

    def compute(lines: Sequence[PlanLine]) -> Computation:
        return rules.compute_plan(model=model, params=price, lines=lines, currency="EUR")

    return Subject(name, compute, inputs, bare, LINES)


def _lines(offset: int) -> tuple[PlanLine, ...]:
    return tuple(PlanLine(f"c{n}", Decimal((offset * 2900 + n * 3700) % 120_000).scaleb(-2)) for n in range(LINES))


def _sum(lines: Sequence[PlanLine]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)


def _discount(lines: Sequence[PlanLine]) -> Decimal:
    return -_sum(lines) * Decimal("0.125")


def _commitment(lines: Sequence[PlanLine]) -> Decimal:
    used = _sum(lines)
    return max(LEAST - used, ZERO) - max(used - MOST, ZERO)


def _credits(lines: Sequence[PlanLine]) -> Decimal:
    return -min(_sum(lines), BALANCE)


def _payouts(offset: int) -> Usage:
    parts = []
    for number in range(LINES):
        amount = Decimal(offset * 731 + number * 1337).scaleb(-2)
        carried = (("amount", str(amount)), ("account", f"a{number % ACCOUNTS}"))
        parts.append(Part(amount, properties=carried, amount=amount))
    return Usage(sum((part.quantity for part in parts), ZERO), tuple(parts))


def _price_payouts(usage: Usage) -> Computation:
    return rules.compute(model="fee_program", params=_PROGRAM, usage=usage, currency="EUR")


def _payout_fee(usage: Usage) -> Decimal:
    accounts = {dict(part.properties)["account"] for part in usage.parts}
    volume = sum((part.quantity for part in usage.parts), ZERO)
    return len(accounts) * PER_ACCOUNT + volume * RATE + LINES * FIXED


_PROGRAM = PricedProgram(
    FeeProgramParams(program="payouts", amount="amount", account="account"),
    fee_terms.parse_terms({"tables": [TABLE]}),
    "EUR",
)
