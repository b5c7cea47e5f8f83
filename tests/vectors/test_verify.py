"""The verifier of evidence packs agrees with the worked cases of other systems, by its own arithmetic."""

from decimal import Context, Decimal, localcontext
from typing import Any

import pytest

from compliance.evidence import verify
from compliance.evidence.verify import Event, Measure, Part, Span, Usage
from tests.vectors import cases
from tests.vectors.cases import Case
from tests.vectors.test_aggregation import KINDS, NEGATIVE, RESULTS

MODELS = {*verify.TOTALS, "flat", "bucketed", "dimensional"}
UNIQUE = {"unique_count", "prorated_unique_count"}


def usage_of(case: Case, params: dict[str, Any], model: str) -> Usage:
    """Events are parts of their own; what no price looks at is how many units."""
    split = verify.wanted_split(model, params)
    if "events" not in case:
        return Usage(verify.number(case["units"]))
    parts = []
    for event in case["events"]:
        carried = None if split is None or not split.amount_property else verify.number(event[split.amount_property])
        named = {*(split.properties if split else ()), *([split.amount_property] if split else []), "bucket"}
        (units,) = [value for name, value in event.items() if name not in named] or ["1"]
        properties = {name: event[name] for name in (split.properties if split else ()) if name in event}
        parts.append(Part(verify.number(units), 1, properties, event.get("bucket"), carried))
    total = sum((part.quantity for part in parts), Decimal(0))
    if "units" in case:
        parts[0] = parts[0]._replace(quantity=verify.number(case["units"]) - total + parts[0].quantity)
        total = verify.number(case["units"])
    return Usage(total, parts)


def amount(case: Case) -> Decimal:
    model, params = case["model"], dict(case["params"])
    if model == "commitment":
        model = params.pop("base")
        if "per_window_commitment" in params:
            params |= {"inner": model, "committed_amount": params.pop("per_window_commitment")}
            model = "bucketed"
    with localcontext(Context(prec=100)):
        if model == "flat":
            return sum(verify.price_counted(model, params, Decimal(1), verify.WHOLE, case["currency"]), Decimal(0))
        if "steps" not in case:
            usage = usage_of(case, params, model)
            return rounded(case, sum(verify.price(model, params, usage, currency=case["currency"]), Decimal(0)))
        reached = total = Decimal(0)
        for step in case["steps"]:
            usage = Usage(verify.number(step["cumulative_units"]))
            now = rounded(case, sum(verify.price(model, params, usage, currency=case["currency"]), Decimal(0)))
            total += Decimal(0) if step["expected_increment"] is None else now - reached
            reached = now
        return total


def rounded(case: Case, exact: Decimal) -> Decimal:
    rule = case["rounding"]
    return exact if rule is None else verify.rounded(exact, rule["scale"], rule["mode"])


def is_price(case: Case) -> bool:
    return case["model"] in MODELS or (case["model"] == "commitment" and "base" in case["params"])


PRICES = [case for case in cases.load("rating") if is_price(case)]


@pytest.mark.parametrize("case", PRICES, ids=lambda case: str(case["id"]))
def test_a_price_comes_to_what_the_source_states(case: Case) -> None:
    cases.skip_if_excused("rating", case=case, group=case["model"])
    assert amount(case) == Decimal(case["expected_amount"])


def test_most_worked_prices_are_among_these() -> None:
    if cases.FOLDER == cases.HERE / "data":
        assert len(PRICES) == 125


@pytest.mark.parametrize(
    ("model", "params", "lines", "expected"),
    [
        ("commitment", {"minimum_amount": "10.00"}, [("a", "7.00")], "3.00"),  # rating-0227
        ("commitment", {"minimum_amount": "10"}, [("a", "11")], "0"),
        ("commitment", {"maximum_amount": "40"}, [("a", "49"), ("b", "3")], "-12"),
        ("plan_discount", {"discount_percent": "10", "applies_to": ["a"]}, [("a", "49"), ("b", "3")], "-4.9"),
        ("prepaid_credits", {"opening_balance": "30"}, [("a", "20"), ("b", "3")], "-23"),
        ("prepaid_credits", {"opening_balance": "10.019", "credit_rate": "1"}, [("a", "20")], "-10.01"),
        ("prepaid_credits", {"opening_balance": "500", "credits_apply_to": ["b"]}, [("a", "20"), ("b", "3")], "-3"),
        ("prepaid_credits", {"opening_balance": "500"}, [("a", "-20")], "0"),
    ],
)
def test_a_line_of_a_whole_plan_follows_from_the_lines_it_stands_on(
    model: str, params: dict[str, Any], lines: list[tuple[str, str]], expected: str
) -> None:
    grounds = [(code, Decimal(amount)) for code, amount in lines]
    assert verify.plan_amount(model, params, grounds, verify.WHOLE, "EUR") == Decimal(expected)


def meter_of(case: Case) -> dict[str, Any]:
    given = case["params"]
    model = given.get("aggregate", case["model"])
    kind = KINDS[model.removeprefix("prorated_") if given.get("prorate") is False else model]
    decimals, mode = RESULTS[given["result"]] if "result" in given else (18, "half_up")
    return {
        "aggregation": kind,
        "value_property": "unique_id" if kind in UNIQUE else "value",
        "operation_property": "operation" if kind in UNIQUE else "",
        "is_recurring": given.get("recurring", False) or model.startswith("prorated_"),
        "negative_total": NEGATIVE[given["negative_total"]] if "negative_total" in given else "negative",
        "tie_break": "last_received",
        "decimals": decimals,
        "rounding": mode,
    }


def span_of(given: dict[str, Any]) -> Span:
    start, end = verify.instant(given["period_start"]), verify.instant(given["period_end_exclusive"])
    begins = verify.instant(given.get("active_from", given["period_start"]))
    until = verify.instant(given.get("active_until_exclusive", given["period_end_exclusive"]))
    return Span(begins, until, (start, end), "UTC")


def quantities_of(case: Case) -> dict[str, Decimal]:
    """By group; without groups under no name."""
    meter, span, names = meter_of(case), span_of(case["params"]), case["params"].get("group_by", ())
    found: dict[str, Measure] = {} if names else {"": Measure(meter, span)}
    for place, event in enumerate(case["events"]):
        at = verify.instant(event["time"])
        arrived = verify.instant(event.get("received_at", event["time"]))
        if at < span.end and (meter["is_recurring"] or at >= span.start):
            group = ",".join(str(event.get(name)) for name in names)
            measure = found.setdefault(group, Measure(meter, span))
            measure.take(Event(place, "", event.get("id", f"{place:04}"), at, arrived, event, b""))
    return {group: measure.quantity() for group, measure in found.items()}


MEASURED = [case for case in cases.load("aggregation") if case["model"] in KINDS]


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: str(case["id"]))
def test_events_come_to_the_quantity_that_the_source_states(case: Case) -> None:
    cases.skip_if_excused("aggregation", case=case, group=case["model"])
    with localcontext(Context(prec=100)):
        found = quantities_of(case)
    expected = case.get("expected_groups") or {"": case.get("expected_value")}
    assert found == {group: Decimal(value) for group, value in expected.items()}
