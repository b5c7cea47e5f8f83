"""`GET usage`: live totals over the API."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.builders import usage

pytestmark = pytest.mark.django_db
AFTERWARDS = datetime(2026, 4, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()
    acme = usage.customer()
    acme.time_zone = "America/New_York"
    acme.save()
    for event_id, time, tokens, model in [
        ("a", "2026-03-01T05:00:00Z", 3, "small"),
        ("b", "2026-03-01T20:00:00Z", 4, "large"),
        ("c", "2026-04-01T03:59:59Z", 5, "small"),
        ("d", "2026-04-01T04:00:00Z", 100, "small"),
    ]:
        data = {"input_tokens": tokens, "output_tokens": 0, "model": model}
        assert usage.capture(usage.event(event_id, time=time, data=data), at=AFTERWARDS).accepted == 1


def ask(key: str | None = None, **question: str) -> Any:
    client = Client(headers={"Authorization": f"Bearer {key or usage.api_key()}"})
    return client.get("/api/v1/usage", {"customer": "acme", "meter": "input-tokens", **question})


def test_the_total_of_a_month_in_the_customer_s_zone() -> None:
    answer = ask(start="2026-03-01T05:00:00Z")
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("as_of").endswith("Z")
    assert body == {
        "customer": "acme",
        "meter": "input-tokens",
        "unit": "token",
        "aggregation": "sum",
        "time_zone": "America/New_York",
        "start": "2026-03-01T05:00:00Z",
        "end": "2026-04-01T04:00:00Z",
        "lag_seconds": 0.0,
        "read_from": "events",
        "totals": [
            {
                "start": "2026-03-01T05:00:00Z",
                "end": "2026-04-01T04:00:00Z",
                "group": {},
                "quantity": "12",
                "event_count": 3,
            }
        ],
    }


def test_the_month_that_an_end_closes() -> None:
    assert ask(end="2026-04-01T04:00:00Z").json()["start"] == "2026-03-01T05:00:00Z"


def test_days_and_groups() -> None:
    totals = ask(start="2026-03-01T05:00:00Z", window="day", group_by="model").json()["totals"]
    assert [(total["start"], total["group"], total["quantity"]) for total in totals] == [
        ("2026-03-01T05:00:00Z", {"model": "large"}, "4"),
        ("2026-03-01T05:00:00Z", {"model": "small"}, "3"),
        ("2026-03-31T04:00:00Z", {"model": "small"}, "5"),
    ]


def test_without_a_time_it_is_this_month() -> None:
    body = ask().json()
    assert body["start"] <= body["as_of"] < body["end"]
    assert [total["quantity"] for total in body["totals"]] == ["0"]


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"customer": "nobody"}, "/customer"),
        ({"meter": "nothing"}, "/meter"),
        ({"meter": ""}, "/meter"),
        ({"start": "yesterday"}, "/start"),
        ({"start": "2026-03-01T00:00:00"}, "/start"),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, "/end"),
        ({"window": "minute"}, "/window"),
        ({"window": "hour", "start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "/window"),
        ({"start": "0001-01-01T00:00:00Z"}, "/start"),
        ({"end": "9999-12-31T23:59:59Z"}, "/end"),
        ({"group_by": "secret"}, "/group_by"),
        ({"group_by": "model,region,input_tokens,output_tokens"}, "/group_by"),
        ({"group_by": "model' OR 1=1 --"}, "/group_by"),
        ({"customer__code": "acme"}, "/customer__code"),
    ],
)
def test_a_bad_question_is_refused_at_its_parameter(question: dict[str, str], pointer: str) -> None:
    answer = ask(**question)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_every_staff_role_may_read_usage_and_nobody_else() -> None:
    for role in ("product", "finance", "ops", "engineering", "auditor"):
        assert ask(usage.api_key(f"one-of-{role}", role)).status_code == 200
    assert ask(usage.api_key("nobody", "none")).status_code == 403
    assert ask(usage.api_key("sender", "engineering", scopes=["events:write"])).status_code == 403
    assert ask("bo_unknown_key").status_code == 401
