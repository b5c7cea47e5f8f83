"""Agreement with the published and derived fees of payment programs."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import money, rounding
from invoicing.pricing.rules import fee_terms, timeline
from invoicing.pricing.rules.timeline import Dated
from invoicing.rating import rules
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.steps import Step
from tests.vectors import cases
from tests.vectors.cases import Case

# stripe.com/pricing as transcribed 2026-09-20; a case states the sum of its rates.
SURCHARGES = {"manual": "0.5", "international": "1.5", "conversion": "1"}
NAMES_OF_THE_FIXED_PART = ("fixed", "fixed_per_payout", "per_dispute")


def terms_of(given: dict[str, Any], *, currency: str) -> fee_terms.FeeTerms:
    """The program that the case describes, as our own terms."""
    flagged = sum((Decimal(rate) for flag, rate in SURCHARGES.items() if given.get(flag)), Decimal(0))
    limits = {"cap": "cap", "minimum": "minimum", "percentage_minimum": "minimum_percent_part"}
    table = {
        "currency": currency,
        "rate_percent": money.plain(Decimal(given.get("rate_percent", "0")) - flagged),
        "fixed": next((given[name] for name in NAMES_OF_THE_FIXED_PART if name in given), "0"),
        "per_account": given.get("per_account", "0"),
        "surcharges": [{"code": flag, "rate_percent": rate} for flag, rate in SURCHARGES.items()],
        **{ours: given[theirs] for ours, theirs in limits.items() if theirs in given},
    }
    return fee_terms.parse_terms(
        {
            "tables": [table],
            "rounding_level": given.get("rounding_level", "per_payout"),
            "refunds": "percentage_returned" if given.get("fee_returned") else "kept",
            "failed_statuses": ["failed"],
        }
    )


def transactions_of(given: dict[str, Any]) -> list[Transaction]:
    """What was paid, or paid out; payouts go to the active accounts in turn."""
    if "payouts" in given:
        accounts = max(given["active_accounts"], 1)
        return [
            Transaction(amount=Decimal(amount), account=f"account {number % accounts}")
            for number, amount in enumerate(given["payouts"])
        ]
    if "account_payouts" in given:
        return [
            Transaction(amount=Decimal(0), account=one["account"], status=one["status"])
            for one in given["account_payouts"]
        ]
    flags = frozenset(flag for flag in SURCHARGES if given.get(flag))
    amount, status = Decimal(given.get("amount", "0")), given.get("status", "")
    return [Transaction(amount=amount, status=status, flags=flags, count=given.get("count", 1))]


def total(steps: tuple[Step, ...], *, currency: str) -> Decimal:
    return money.round_amount(rules.add_up(steps).amount_exact, currency=currency)


def price(given: dict[str, Any], *, currency: str) -> tuple[Step, ...]:
    terms = terms_of(given, currency=currency)
    return fees.price_transactions(terms=terms, currency=currency, transactions=transactions_of(given))


def check_program(case: Case) -> None:
    steps, currency = price(case["params"], currency=case["currency"]), case["currency"]
    assert total(steps, currency=currency) == Decimal(case["expected_fee"])
    if "expected_lines" in case:
        accounts = tuple(step for step in steps if step.label.startswith("Active accounts"))
        others = tuple(step for step in steps if step not in accounts)
        parts = {"accounts": total(accounts, currency=currency), "payouts": total(others, currency=currency)}
        assert parts == {name: Decimal(amount) for name, amount in case["expected_lines"].items()}


def check_stacked(case: Case) -> None:
    """One program on top of another: each has a line of its own."""
    given, currency = case["params"], case["currency"]
    payment_fee = {"fixed": given["payment_fee"], "status": given.get("status", "")}
    lines = [total(price(one, currency=currency), currency=currency) for one in (payment_fee, given)]
    assert [line for line in lines if line] == [Decimal(line) for line in case["expected_lines"]]
    assert sum(lines) == Decimal(case["expected_fee"])


def check_effective_dating(case: Case) -> None:
    """The version in force at the instant of the event."""
    given = case["params"]
    versions = [Dated(key, datetime.fromisoformat(one["from"]), key) for key, one in enumerate(given["rates"])]
    paid_at = datetime.fromisoformat(given["paid_at"])
    stretches = timeline.in_force(versions)
    (key,) = (one.key for one in stretches if one.start <= paid_at and (one.end is None or paid_at < one.end))
    found = total(price(given | given["rates"][key], currency=case["currency"]), currency=case["currency"])
    assert found == Decimal(case["expected_fee"])


def check_refund(case: Case) -> None:
    """A payment and its refund: what is left of the fee."""
    given, currency = case["params"], case["currency"]
    amount = Decimal(given["amount"])
    rate = rounding.PRECISION.divide(Decimal(given["original_fee"]) * 100, amount)
    terms = terms_of(given | {"rate_percent": money.plain(rate)}, currency=currency)
    movements = [Transaction(amount=amount), Transaction(amount=-amount)]
    steps = fees.price_transactions(terms=terms, currency=currency, transactions=movements)
    assert total(steps, currency=currency) == Decimal(case["expected_fee"])


def check_gross_up(case: Case) -> None:
    given = case["params"]
    net = Decimal(given["net"])
    gross = fees.gross_up(
        net=net,
        rate_percent=Decimal(given["rate_percent"]),
        fixed=Decimal(given["fixed"]),
        currency=case["currency"],
    )
    assert (gross, gross - net) == (Decimal(case["expected_gross"]), Decimal(case["expected_fee"]))


def check_rounding(case: Case) -> None:
    rule = case["rounding"]
    found = rounding.round_to_scale(Decimal(case["params"]["raw_fee"]), scale=rule["scale"], mode=rule["mode"])
    assert found == Decimal(case["expected_fee"])


CHECKS: dict[str, Callable[[Case], None]] = {
    "managed_payments": check_stacked,
    "effective_dating": check_effective_dating,
    "refund": check_refund,
    "gross_up": check_gross_up,
    "rounding_rule": check_rounding,
    "bankers_contrast": check_rounding,
}


@cases.parametrize("fees")
def test_the_fee_is_the_one_that_the_source_states(case: Case) -> None:
    cases.skip_if_excused("fees", case=case, group=case["program"])
    CHECKS.get(case["program"], check_program)(case)


@cases.parametrize("fees")
def test_every_case_rounds_as_its_currency_does(case: Case) -> None:
    assert money.currency_exponent(case["currency"]) == case["rounding"]["scale"]
