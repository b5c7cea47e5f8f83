"""Prices of a whole plan, credits and shares, by hand: they work on the amounts of other lines."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.pricing.rules import params
from invoicing.rating import rules
from invoicing.rating.rules import allocation, plan, prepaid
from invoicing.rating.rules.allocation import AllocationError
from invoicing.rating.rules.plan import PlanLine
from invoicing.rating.rules.prepaid import CreditsUsed, TopUp
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation

LINES = (PlanLine("base", Decimal("29.00")), PlanLine("calls", Decimal("11.50")))


def price(
    model: str, given: Any, *, lines: tuple[PlanLine, ...] = LINES, currency: str = "EUR", share: Share = WHOLE
) -> Computation:
    parsed = params.parse_stored_params(model=model, params=given)
    return rules.compute_plan(model=model, params=parsed, lines=lines, currency=currency, share=share)


@pytest.mark.parametrize(
    ("given", "amount", "label"),
    [
        ({"minimum_amount": "100"}, "59.50", "Minimum of 100; used 40.5"),
        ({"minimum_amount": "40.50"}, "0", "Within the limits; used 40.5"),
        ({"maximum_amount": "30"}, "-10.50", "Maximum of 30; used 40.5"),
        ({"minimum_amount": "10", "maximum_amount": "50"}, "0", "Within the limits; used 40.5"),
    ],
)
def test_the_true_up_is_what_is_missing_and_the_maximum_a_discount(given: Any, amount: str, label: str) -> None:
    found = price("commitment", given)
    assert (found.amount_exact, [step.label for step in found.steps]) == (Decimal(amount), [label])


def test_a_part_of_a_period_has_its_part_of_the_minimum() -> None:
    half = Share(14, 28, "day")
    assert price("commitment", {"minimum_amount": "100"}, share=half).amount_exact == Decimal("9.50")
    whole = {"minimum_amount": "100", "partial_period": "whole"}
    assert price("commitment", whole, share=half).amount_exact == Decimal("59.50")


def test_a_discount_may_be_of_some_charges() -> None:
    assert price("plan_discount", {"discount_percent": "10"}).amount_exact == Decimal("-4.05")
    only = {"discount_percent": "10", "applies_to": ["calls", "storage"]}
    assert price("plan_discount", only).amount_exact == Decimal("-1.15")


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({"opening_balance": "50"}, "-40.50"),
        ({"opening_balance": "30"}, "-30"),
        ({"opening_balance": "30.999"}, "-30.99"),  # what is less than a cent cannot be paid
        ({"opening_balance": "1000", "credit_rate": "0.01"}, "-10"),
        ({"opening_balance": "50", "credits_apply_to": ["calls"]}, "-11.50"),
        ({"opening_balance": "50", "credits_apply_to": ["other"]}, "0"),
    ],
)
def test_credits_pay_lines_and_never_more_than_is_due_or_there(given: Any, amount: str) -> None:
    assert price("prepaid_credits", given).amount_exact == Decimal(amount)


def test_credits_pay_no_negative_lines() -> None:
    lines = (PlanLine("base", Decimal(-5)),)
    assert price("prepaid_credits", {"opening_balance": "50"}, lines=lines).amount_exact == 0


def test_every_plan_model_has_its_place_in_the_order() -> None:
    assert set(plan.ORDER) == set(plan.PRICES) == params.PLAN_MODELS


def test_used_credits_leave_a_balance() -> None:
    used = prepaid.use_credits(balance=Decimal(100), credit_rate=Decimal("0.03"), due=Decimal("1.00"), currency="EUR")
    assert used == CreditsUsed(Decimal("1.00"), Decimal("33.333333333333333333"), Decimal("66.666666666666666667"))


def test_a_top_up_of_nothing_is_refused() -> None:
    nothing = prepaid.top_up(worth=Decimal("0.004"), credit_rate=Decimal("0.01"), currency="EUR")
    assert nothing.is_refused
    assert prepaid.top_up(worth=Decimal("4.4"), credit_rate=Decimal(2), currency="JPY") == TopUp(Decimal(4), Decimal(2))


@pytest.mark.parametrize(
    ("amount", "weights", "scale", "parts"),
    [
        ("100.00", {"c": "3", "a": "1", "b": "2"}, 2, {"a": "16.67", "b": "33.33", "c": "50.00"}),
        ("0.05", {"a": "1", "b": "1", "c": "1"}, 2, {"a": "0.02", "b": "0.02", "c": "0.01"}),
        ("-0.05", {"a": "1", "b": "1", "c": "1"}, 2, {"a": "-0.02", "b": "-0.02", "c": "-0.01"}),
        ("10", {"a": "0.5", "b": "0.25", "c": "0"}, 0, {"a": "7", "b": "3", "c": "0"}),
        ("1.001", {"a": "1", "b": "1"}, 3, {"a": "0.501", "b": "0.500"}),
    ],
)
def test_the_largest_remainders_get_what_is_left(amount: str, weights: Any, scale: int, parts: Any) -> None:
    found = allocation.allocate(
        Decimal(amount), weights={key: Decimal(value) for key, value in weights.items()}, scale=scale
    )
    assert {key: str(value) for key, value in found.items()} == parts
    assert list(found) == sorted(parts)


@pytest.mark.parametrize(
    ("amount", "weights"), [("1.005", {"a": "1"}), ("1", {"a": "0"}), ("1", {"a": "-1", "b": "2"})]
)
def test_what_cannot_be_divided_is_refused(amount: str, weights: dict[str, str]) -> None:
    with pytest.raises(AllocationError):
        allocation.allocate(Decimal(amount), weights={key: Decimal(value) for key, value in weights.items()}, scale=2)


@pytest.mark.parametrize(
    ("exact", "scale", "rounded"),
    [
        (["10.006", "10.006", "10.006"], 2, ["10.01", "10.01", "10.00"]),  # 30.018 → 30.02
        (["10.004", "10.004", "10.004"], 2, ["10.01", "10.00", "10.00"]),  # 30.012 → 30.01
        (["0.001", "0.003", "0.002"], 2, ["0.00", "0.01", "0.00"]),  # 0.006 → 0.01, to the largest remainder
        (["0.004"], 2, ["0.00"]),
        (["0.005"], 2, ["0.01"]),
        (["1.50", "2.25"], 2, ["1.50", "2.25"]),
        (["-0.004", "0.009"], 2, ["0.00", "0.01"]),  # 0.005 → 0.01; both go up, from -0.01 and 0.00
        (["0.4", "0.4", "0.4"], 0, ["1", "0", "0"]),
        ([], 2, []),
    ],
)
def test_amounts_rounded_together_are_their_sum_rounded_once(exact: Any, scale: int, rounded: Any) -> None:
    found = allocation.round_together([Decimal(amount) for amount in exact], scale=scale)
    assert [str(amount) for amount in found] == rounded
