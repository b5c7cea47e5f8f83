"""`rating/preview`: worked cases over HTTP, and bad prices answered with the fields at fault."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.pricing.models import PriceVersion
from tests.builders import fees
from tests.builders.people import ApiClient, key_for, make_staff
from tests.vectors import cases

pytestmark = pytest.mark.django_db
ASKED = {"model": "standard", "params": {"unit_amount": "0.0005"}, "currency": "EUR", "units": "10"}
OPEN = {"up_to": None, "unit_amount": "1"}


@pytest.fixture
def auditor() -> ApiClient:
    """May only read, with a key that may only read: nothing is stored."""
    return ApiClient(key_for(make_staff("ada", "auditor"), scopes=("read",)))


def test_every_worked_price_comes_out_over_http(auditor: ApiClient) -> None:
    tried = [case for case in cases.load("rating") if case["model"] != "allocation"]  # their amount stands nowhere
    assert len(tried) > 150
    for case in tried:
        names = ("model", "params", "currency", "units", "events", "steps", "rounding")
        answer = auditor.post("rating/preview", {name: case[name] for name in names if name in case})
        assert answer.status_code == 200, (case["id"], answer.json())
        if case["expected_amount"] is not None:
            assert Decimal(answer.json()["amount"]) == Decimal(case["expected_amount"]), case["id"]


def test_the_answer_says_how_the_amount_came_about(auditor: ApiClient) -> None:
    tiers = [{"up_to": "10", "unit_amount": "2", "flat_amount": "1"}, {"up_to": None, "unit_amount": "0.001"}]
    answer = auditor.post(
        "rating/preview", {"model": "graduated", "params": {"tiers": tiers}, "currency": "EUR", "units": "12.5"}
    )
    assert answer.json() == {
        "amount": "21.00",
        "amount_exact": "21.0025",
        "lines": [
            {"label": "Tier 1: 0 to 10", "tier": 1, "from": "0", "up_to": "10", "quantity": "10",
             "unit_price": "2", "flat_fee": "1", "amount": "21"},
            {"label": "Tier 2: above 10", "tier": 2, "from": "10", "up_to": None, "quantity": "2.5",
             "unit_price": "0.001", "flat_fee": "0", "amount": "0.0025"},
        ],
    }  # fmt: skip
    assert not PriceVersion.objects.exists()


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({}, "0.01"),
        ({"rounding": None}, "0.005"),
        ({"rounding": {"scale": 2, "mode": "half_even"}}, "0.00"),
        ({"rounding": {"scale": 4, "mode": "half_up", "at": "line"}}, "0.0050"),
        ({"currency": "JPY"}, "0"),
        ({"units": None, "events": [{"n": "4"}, {"n": "6"}]}, "0.01"),
        ({"units": 10}, "0.01"),
        ({"model": "flat", "params": {"amount": "29.00"}, "units": None}, "29.00"),
    ],
)
def test_the_amount_is_rounded_as_a_line_would_be_unless_asked_otherwise(
    auditor: ApiClient, given: dict[str, Any], amount: str
) -> None:
    answer = auditor.post("rating/preview", {**ASKED, **given})
    assert (answer.status_code, answer.json()["amount"]) == (200, amount)


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"params": {"unit_amount": "nan"}}, ["/params/unit_amount"]),
        ({"params": {"unit_amount": "1_000"}}, ["/params/unit_amount"]),
        ({"params": {"unit_amount": "-1"}}, ["/params/unit_amount"]),
        ({"params": [], "model": "volume"}, ["/params", "/params/tiers"]),
        ({"model": "graduated", "params": {"tiers": [{"up_to": "5", "unit_amount": "-1"}, OPEN]}},
         ["/params/tiers/0/unit_amount"]),
        ({"model": "graduated", "params": {"tiers": [{"up_to": "9", "unit_amount": "1"},
                                                     {"up_to": "5", "unit_amount": "1"}, OPEN]}},
         ["/params/tiers/1/up_to"]),
        ({"model": "graduated", "params": {"tiers": [{"from": "6", **OPEN}]}}, ["/params/tiers/0/from"]),
        ({"model": "graduated", "params": {"tiers": [{"up_to": "5", "unit_amount": "1"}]}},
         ["/params/tiers/0/up_to"]),  # ten units, and no tier for them
        ({"model": "volume", "params": {"tiers": [OPEN] * 1001}}, ["/params/tiers"]),
        ({"model": "barter"}, ["/model"]),
        ({"currency": "XYZ"}, ["/currency"]),
        ({"units": "many"}, ["/units"]),
        ({"units": "-1e400"}, ["/units"]),
        ({"units": None}, ["/units"]),
        ({"events": [{"n": "1"}]}, ["/units"]),
        ({"units": None, "events": "all"}, ["/events"]),
        ({"rounding": {"scale": 99}}, ["/rounding/scale"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_pointer(
    auditor: ApiClient, given: dict[str, Any], pointers: list[str]
) -> None:
    answer = auditor.post("rating/preview", {**ASKED, **given})
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": "standard", "params": {"unit_amount": NaN}}',
        b'{"model": "standard", "model": "flat"}',
        b'{"units": 1e400}',
        b"[" * 100_000,
        b'{"units": ' + b"9" * 5000 + b"}",
        b'{"model": "\\u0000"}',
        b'{"model": "\\ud800"}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_is_no_price_is_a_clear_refusal(auditor: ApiClient, body: bytes) -> None:
    answer = auditor.call("POST", "rating/preview", body)
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_only_staff_may_try_prices() -> None:
    assert ApiClient({}).post("rating/preview", ASKED).status_code == 401
    assert ApiClient(key_for(make_staff("nobody"))).post("rating/preview", ASKED).status_code == 403


def test_growing_usage_is_booked_in_increments(auditor: ApiClient) -> None:
    """OpenMeter, rate/delta: 333 and 666 units at 0.001; the second increment makes up for the first rounding."""
    steps = [{"cumulative_units": "333"}, {"cumulative_units": "666"}, {"cumulative_units": "0"}]
    answer = auditor.post(
        "rating/preview", {**ASKED, "params": {"unit_amount": "0.001"}, "units": None, "steps": steps}
    )
    assert answer.json() == {
        "amount": "0.00",
        "amount_exact": "0",
        "lines": [{"label": "Per unit", "quantity": "0", "unit_price": "0.001", "flat_fee": "0", "amount": "0"}],
        "increments": [
            {"cumulative_units": "333", "amount": "0.33", "increment": "0.33"},
            {"cumulative_units": "666", "amount": "0.67", "increment": "0.34"},
            {"cumulative_units": "0", "amount": "0.00", "increment": "-0.67"},
        ],
    }


def test_what_was_billed_before_does_not_count_to_the_amount(auditor: ApiClient) -> None:
    steps = [{"cumulative_units": "100", "expected_increment": None}, {"cumulative_units": "150"}]
    answer = auditor.post("rating/preview", {**ASKED, "params": {"unit_amount": "1"}, "units": None, "steps": steps})
    assert answer.json()["amount"] == "50.00"


def test_an_allocation_answers_with_its_parts(auditor: ApiClient) -> None:
    weights = {"b": "1", "a": "1", "c": "1"}
    answer = auditor.post(
        "rating/preview", {"model": "allocation", "params": {"weights": weights}, "units": "0.05", "currency": "EUR"}
    )
    assert answer.json()["details"] == {"parts": {"a": "0.02", "b": "0.02", "c": "0.01"}}
    assert answer.json()["amount"] == "0.05"


def test_a_step_says_what_units_become(auditor: ApiClient) -> None:
    given = {"unit_amount": "2", "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": "ceiling"}}
    answer = auditor.post("rating/preview", {**ASKED, "params": given, "units": "1400"})
    assert answer.json()["lines"] == [
        {"label": "Converted: ÷ 1000, rounded up to whole units", "quantity": "1400", "becomes": "2",
         "unit_price": "0", "flat_fee": "0", "amount": "0"},
        {"label": "Per unit", "quantity": "2", "unit_price": "2", "flat_fee": "0", "amount": "4"},
    ]  # fmt: skip


CARD = {"rate_percent": "2.9", "free_events": 1}
BUCKETS = {"inner": "standard", "unit_amount": "1"}


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"model": "percentage", "params": CARD}, ["/events"]),
        ({"model": "percentage", "params": {**CARD, "free_events": "many"}}, ["/params/free_events"]),
        ({"model": "percentage", "params": {**CARD, "per_transaction_min": "2", "per_transaction_max": "1"}},
         ["/params/per_transaction_max"]),
        ({"model": "bucketed", "params": BUCKETS, "units": None, "events": [{"value": "1"}]}, ["/events/0/bucket"]),
        ({"model": "bucketed", "params": {**BUCKETS, "inner": "flat"}}, ["/params/inner"]),
        ({"model": "dynamic", "params": {"price_from": "event amount"}, "units": None, "events": [{"n": "1"}]},
         ["/events/0/amount"]),
        ({"model": "dynamic", "params": {"amount_property": "n"}}, ["/params/price_from"]),
        ({"model": "dimensional", "params": {"inner": "standard", "prices": [{"match": {}, "params": {}}]}},
         ["/params/prices/0/match", "/params/prices/0/params/unit_amount", "/params/default",
          "/params/default/unit_amount"]),
        ({"params": {"unit_amount": "1", "filters": [{"a": "b", "unit_amount": "1"}] * 2}}, ["/params/filters/1"]),
        ({"params": {"unit_amount": "1", "discount_percent": "x"}}, ["/params/discount_percent"]),
        ({"model": "flat", "params": {"amount": "1", "included_quantity": "5"}}, ["/params/included_quantity"]),
        ({"units": None, "steps": []}, ["/steps"]),
        ({"units": None, "steps": [{"cumulative_units": "a"}, {"units": "1"}]},
         ["/steps/0/cumulative_units", "/steps/1/cumulative_units", "/steps/1/units"]),
        ({"model": "percentage", "params": CARD, "units": None, "steps": [{"cumulative_units": "1"}]}, ["/steps"]),
        ({"units": None, "events": [{"n": "1"}] * 10_001}, ["/events"]),
        ({"model": "commitment", "params": {"base": ["standard"]}}, ["/params/base"]),
        ({"model": "commitment", "params": {"used_amount": "1"}}, ["/params/minimum_amount"]),
        ({"model": "allocation", "params": {"weights": {"a": "1"}}, "units": None}, ["/units"]),
        ({"model": "allocation", "params": {"weights": {}}}, ["/params/weights"]),
        ({"model": "tax_rounding", "params": {"tax_percent": "19", "lines": ["1", "x"]}}, ["/params/lines/1"]),
        ({"model": "unit_conversion", "params": {"operation": "divide", "factor": "0"}}, ["/params/factor"]),
        ({"model": "prepaid_credits", "params": {"opening_balance": "1"}, "events": [{"line": "1", "tax": "2"}]},
         ["/events/0/tax"]),
        ({"model": "usage_discount", "params": {"free_units": "1"}, "steps": [{"pre_units": "1"}]},
         ["/steps/0/line_units"]),
    ],
)  # fmt: skip
def test_what_cannot_be_priced_is_named_with_its_pointer(
    auditor: ApiClient, given: dict[str, Any], pointers: list[str]
) -> None:
    answer = auditor.post("rating/preview", {**ASKED, **given})
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers


def test_the_schema_names_every_model_and_result(auditor: ApiClient) -> None:
    schema = auditor.get("schema/?format=json").json()["components"]["schemas"]
    described = schema["Preview"]["properties"]["model"]["description"]
    assert all(f" {model}" in f" {described}" for model in ("standard", "bucketed", "allocation"))
    answer = schema["PreviewAnswer"]
    assert set(answer["properties"]) == {"amount", "amount_exact", "lines", "increments", "details"}
    assert set(answer["required"]) == {"amount", "amount_exact", "lines"}
    assert {"units", "becomes", "from"} <= schema["Step"]["properties"].keys()


CONNECT = {"program": "stripe-connect", "amount": "amount", "account": "account", "status": "status"}
PAYOUTS = [
    {"amount": "1.00", "account": "a"},
    {"amount": "1.00", "account": "a"},
    {"amount": 1, "account": "b", "status": "paid"},
]
CARD_TERMS = {
    "tables": [
        {
            "currency": "USD",
            "rate_percent": "2.9",
            "fixed": "0.30",
            "surcharges": [{"code": "abroad", "rate_percent": "1.5"}],
        }
    ],
    "rounding_level": "per_payout",
}


def fee(auditor: ApiClient, params: Any, events: Any = PAYOUTS, **given: Any) -> Any:
    asked = {"model": "fee_program", "params": params, "currency": "USD", "events": events, **given}
    return auditor.post("rating/preview", asked)


def test_a_fee_program_is_tried_by_the_figures_in_force(auditor: ApiClient) -> None:
    fees.approve_shipped("stripe-connect")
    answer = fee(auditor, CONNECT)
    # two accounts at 2.00; 0.25 % of 3.00 and 3 × 0.25, rounded once on the month's total: 0.7575
    assert (answer.status_code, answer.json()["amount"], answer.json()["amount_exact"]) == (200, "4.76", "4.7575")
    assert answer.json()["lines"][0]["label"] == "Active accounts"


def test_a_program_that_waits_for_approval_is_tried_by_its_version(auditor: ApiClient) -> None:
    fees.approve_shipped()
    missing = fee(auditor, CONNECT)
    assert (missing.status_code, "Name the `version`" in missing.json()["detail"]) == (404, True)
    assert fee(auditor, CONNECT | {"version": 1}).json()["amount"] == "4.76"
    assert fee(auditor, CONNECT | {"version": 7}).status_code == 404


def test_terms_are_tried_before_they_are_anybodys_program(auditor: ApiClient) -> None:
    flags = [{"surcharge": "abroad", "property": "is_foreign"}]
    answer = fee(
        auditor,
        {"terms": CARD_TERMS, "amount": "paid", "flags": flags},
        [{"paid": "100.00", "is_foreign": True}, {"paid": "5.00", "is_foreign": False}],
    )
    assert answer.json()["amount"] == "5.15"  # 4.4 % + 0.30 = 4.70, and 0.445 → 0.45


@pytest.mark.parametrize(
    ("params", "events", "pointer"),
    [
        (CONNECT, None, "/events"),
        ({"amount": "paid"}, [], "/params/program"),
        ({"terms": {"tables": [{"currency": "dollars"}]}}, [], "/params/terms/tables/0/currency"),
        ({"terms": CARD_TERMS, "amount": "paid"}, [{"paid": ["5"]}], "/events/0/paid"),
        (CONNECT | {"version": "1"}, [], "/params/version"),
        (CONNECT | {"speed": "1"}, [], "/params/speed"),
    ],
)
def test_a_program_that_cannot_be_tried_says_where(auditor: ApiClient, params: Any, events: Any, pointer: str) -> None:
    answer = fee(auditor, params, events)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
