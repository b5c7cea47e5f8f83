"""A preview rounds as it is asked to, and names what it cannot use."""

from decimal import Decimal
from typing import Any

import pytest

from core.errors import DomainError
from invoicing.rating.rules import preview, trial
from invoicing.rating.rules.preview import Rounding

UNIT = {"unit_amount": "0.0005"}


def amount(rule: Rounding | None, **given: Any) -> str:
    asked: dict[str, Any] = {"model": "standard", "params": UNIT, "currency": "EUR", **given}
    return trial.try_price(**asked, rounding_rule=rule).amount


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, "0.005"),
        (Rounding(2, "half_up"), "0.01"),
        (Rounding(2, "half_even"), "0.00"),
        (Rounding(4, "half_up"), "0.0050"),
        (preview.currency_rounding("EUR"), "0.01"),
        (preview.currency_rounding("JPY"), "0"),
        (preview.currency_rounding("KWD"), "0.005"),
    ],
)
def test_the_amount_is_rounded_once_as_asked(rule: Rounding | None, expected: str) -> None:
    assert amount(rule, units="10") == expected


def test_events_bring_their_units_each() -> None:
    assert amount(None, events=[{"n": "7"}, {"n": Decimal(3)}]) == "0.005"
    assert amount(None, events=[]) == "0"


def test_a_fee_needs_no_units() -> None:
    assert amount(None, model="flat", params={"amount": "29.00"}) == "29"


def test_no_units_need_no_events() -> None:
    assert amount(None, units="0", model="percentage", params={"rate_percent": "1", "free_events": 3}) == "0"


@pytest.mark.parametrize(("is_paid", "bought"), [(True, "1030"), (False, "1034")])
def test_credits_that_are_paid_follow_from_the_money(is_paid: bool, bought: str) -> None:
    """Lago `wallet_credit_spec`: 1034 credits at 0.001 are 1.03."""
    given = {"credit_rate": "0.001", "convert": "credits_to_money", "invoiceable": is_paid}
    rule = preview.currency_rounding("EUR")
    found = trial.try_price(model="prepaid_credits", params=given, currency="EUR", units="1034", rounding_rule=rule)
    assert (found.amount, found.details["credits"]) == ("1.03", bought)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, "/units"),
        ({"units": "1", "events": []}, "/units"),
        ({"units": "nan"}, "/units"),
        ({"units": "1_000"}, "/units"),
        ({"units": [1]}, "/units"),
        ({"units": "1000000000000001"}, "/units"),
        ({"events": {"n": "1"}}, "/events"),
        ({"events": ["1"]}, "/events"),
        ({"events": [{"n": "1"}, {}]}, "/events/1"),
        ({"events": [{"n": "1", "m": "2"}]}, "/events/0"),
        ({"events": [{"n": "many"}]}, "/events/0/n"),
        ({"units": "1", "params": {"unit_amount": "1", "filters": [{"a": "b", "unit_amount": "2"}]}}, "/events"),
        ({"units": "1", "params": {}}, "/params/unit_amount"),
        ({"units": "1", "model": "barter"}, "/model"),
    ],
)
def test_what_cannot_be_used_is_named(given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(DomainError) as refusal:
        amount(None, **given)
    assert refusal.value.pointer == pointer
    assert refusal.value.http_status == 422


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ("up", "/rounding"),
        ({}, "/rounding/scale"),
        ({"scale": "2"}, "/rounding/scale"),
        ({"scale": -1}, "/rounding/scale"),
        ({"scale": 13}, "/rounding/scale"),
        ({"scale": True}, "/rounding/scale"),
        ({"scale": 2, "mode": "down"}, "/rounding/mode"),
        ({"scale": 2, "level": "line"}, "/rounding/level"),
    ],
)
def test_a_rounding_is_read_strictly(document: Any, pointer: str) -> None:
    with pytest.raises(preview.PreviewError) as refusal:
        preview.read_rounding(document)
    assert refusal.value.pointer == pointer


def test_a_rounding_is_half_up_unless_it_says_so() -> None:
    assert preview.read_rounding({"scale": 0, "at": "line"}) == Rounding(0, "half_up")
    assert preview.read_rounding({"scale": 2, "mode": "half_even"}) == Rounding(2, "half_even")
