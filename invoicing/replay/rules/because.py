"""Why a line comes out otherwise: by its events first, then by its price."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core import money
from invoicing.replay.rules import labels

EVENTS_TOLD = 20
Line = Mapping[str, Any]


def is_same(expected: Any, found: Any) -> bool:
    """Whether two sides say the same; 61.4 and 61.40 do."""
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(is_same, expected, found))
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(is_same(expected[name], found[name]) for name in expected)
    if isinstance(expected, str) and isinstance(found, str):
        return expected == found or (_number(expected) is not None and _number(expected) == _number(found))
    return bool(expected == found)


def _number(text: str) -> Decimal | None:
    try:
        return money.parse_decimal(text)
    except ValueError:
        return None


def find_reasons(expected: Line, found: Line, outcomes: Mapping[str, str]) -> list[str]:
    """Of a line whose quantity or amount differs; `outcomes` says what became of each event in the run."""
    reasons = [*of_events(expected, found, outcomes), *_of_price(expected, found)]
    if reasons:
        return reasons
    if not is_same(expected["quantity"], found["quantity"]):
        return ["the same events, counted otherwise"] if expected.get("events") else ["the set names no events of it"]
    return ["the same quantity at the same price version comes to another amount"]


def _of_price(expected: Line, found: Line) -> list[str]:
    reasons = []
    if "price" in expected and expected["price"] != found["price"]:
        reasons.append(f"price version {found['price']} instead of {expected['price']}")
    elif "price_version" in expected and expected["price_version"] != found["price_version"]:
        reasons.append(f"price {found['price_version']} instead of {expected['price_version']}")
    if "fee_version" in expected and expected["fee_version"] != found["fee_version"]:
        told = labels.say(found["fee_version"]), labels.say(expected["fee_version"])
        reasons.append(f"fee table {told[0]} instead of {told[1]}")
    return reasons


def of_events(expected: Line, found: Line, outcomes: Mapping[str, str]) -> list[str]:
    """Every event that one side counts and the other does not, or otherwise; nothing where the set names none."""
    if expected and "events" not in expected:
        return []
    wanted, there = expected.get("events", {}), found.get("events", {})
    told = [
        f"{name} is missing (expected {wanted[name]}): {outcomes.get(name, 'not in the set')}"
        for name in sorted(wanted.keys() - there.keys())
    ]
    told += [f"{name} is extra ({there[name]})" for name in sorted(there.keys() - wanted.keys())]
    told += [
        f"{name} counts {there[name]} instead of {wanted[name]}"
        for name in sorted(wanted.keys() & there.keys())
        if wanted[name] != there[name]
    ]
    more = len(told) - EVENTS_TOLD
    return told if more <= 0 else [*told[:EVENTS_TOLD], f"and {more} events more"]
