"""Agreement with CloudEvents, OpenMeter, Lago and Stripe on what an event is, and with RFC 9457 on problems."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http.request import HttpHeaders
from django.test import Client, override_settings

from metering import capture
from metering.rules import envelope
from metering.rules.adapters import lago, stripe
from metering.rules.adapters.stripe import StripeRequestError
from metering.rules.contract import BillableEvent, ContractInForce, DataRules, RuleBook, check_event
from metering.rules.reading import Delivery
from metering.rules.reasons import Reason
from metering.rules.schema import Schema
from tests.builders import keyed_calls, problem_documents
from tests.builders.people import key_for, make_staff
from tests.vectors import cases
from tests.vectors.cases import Case

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVER, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def accepts(delivery: Delivery, *, value_property: str = "") -> bool:
    """Whether capture takes the event, whose customer and contract exist; CloudEvents itself needs no subject."""
    assert isinstance(delivery, dict)
    subject = delivery.get("subject") or delivery.get("subjectid") or "acme"
    found = judge(delivery if "subjectid" in delivery else delivery | {"subject": subject}, value_property)
    return isinstance(found, BillableEvent)


def judge(delivery: Delivery, value_property: str) -> BillableEvent | tuple[Reason, ...]:
    assert isinstance(delivery, dict)
    named = (value_property,) if value_property else ()
    in_force = ContractInForce(
        event_type="any",
        contract_id=1,
        version_id=1,
        data_rules=DataRules(required=named, numbers=named, schema=Schema({})),
        earliest=EVER,
        latest=NEVER,
    )
    types = {str(delivery.get("type")): in_force} if delivery.get("type") else {}
    names = envelope.name_of_customer(delivery)
    return check_event(delivery, rules=RuleBook(contracts=types, customers={"acme": 1}, aliases={names: "acme"}))


def read(body: Any, *, content_type: str = "application/json") -> list[Delivery]:
    return capture.read_delivery(io.BytesIO(json.dumps(body).encode()), content_type=content_type, encoding="")


def check_one(case: Case) -> None:
    (delivery,) = read(case["input"])
    assert accepts(delivery) is case["expected"]["accepted"]


def check_structured(case: Case) -> None:
    (delivery,) = read(case["input"]["body_json"], content_type=case["input"]["headers"]["Content-Type"])
    assert accepts(delivery) is case["expected"]["accepted"]
    assert isinstance(delivery, dict)
    assert {name: delivery[name] for name in case["expected"]["attributes"]} == case["expected"]["attributes"]
    assert delivery["data"] == case["expected"]["data"]


def check_batch(case: Case) -> None:
    deliveries = read(case["input"]["body_json"], content_type=case["input"]["headers"]["Content-Type"])
    found = [accepts(delivery) for delivery in deliveries]
    assert found.count(True) == case["expected"]["accepted"]
    assert found.count(False) == case["expected"].get("quarantined", 0)


def check_metered(case: Case) -> None:
    (delivery,) = read(case["input"])
    assert accepts(delivery, value_property="duration_ms") is case["expected"]["accepted"]


def check_binary(case: Case) -> None:
    headers, body = case["input"]["headers"], case["input"].get("body", "")
    content = body if isinstance(body, str) else json.dumps(body)
    delivery = capture.read_request(io.BytesIO(content.encode()), headers=HttpHeaders(_meta(headers)))[0]
    assert accepts(delivery) is case["expected"]["accepted"]
    assert isinstance(delivery, dict)
    wanted = case["expected"].get("attributes", {})
    assert {name: delivery[name] for name in wanted} == wanted
    assert delivery["data"] == case["expected"]["data"]


def _meta(headers: dict[str, str]) -> dict[str, str]:
    names = {name: name.upper().replace("-", "_") for name in headers}
    return {plain if plain == "CONTENT_TYPE" else f"HTTP_{plain}": headers[name] for name, plain in names.items()}


def check_lago(case: Case) -> None:
    sent, context = case["input"]["event"], case.get("context", {})
    delivery = lago.event_of(sent, at=NOW)
    found = judge(delivery, "total")
    seen = sent.get("transaction_id") in context.get("seen_transaction_ids", ())
    assert (isinstance(found, BillableEvent) and not seen) is case["expected"]["accepted"]
    if isinstance(found, BillableEvent):
        details = {"transaction_id": [lago.TAKEN]} if seen else {}
    else:
        details = lago.error_details(found)
    if "field" in case["expected"]:
        assert case["expected"]["code"] in details[case["expected"]["field"]]


def check_stripe(case: Case) -> None:
    at = datetime.fromtimestamp(case.get("context", {}).get("now", NOW.timestamp()), UTC)
    try:
        stripe.check_params(case["input"], at=at)
        delivery = stripe.event_of(case["input"], spare_id="spare", at=at)
    except StripeRequestError:
        assert case["expected"]["accepted"] is False
        return
    assert isinstance(judge(delivery, "value"), BillableEvent) is case["expected"]["accepted"]
    if "value" in case["expected"]:
        assert delivery["data"]["value"] == case["expected"]["value"]


def check_stripe_batch(case: Case) -> None:
    assert (case["input"]["count"] <= stripe.EVENTS_MAX) is case["expected"]["accepted"]


def check_problem(case: Case) -> None:
    document, expected = case["input"], case["expected"]
    assert (not problem_documents.flaws_of(document)) is expected["valid"]
    if "type" in expected:
        assert problem_documents.type_of(document) == expected["type"]


def check_idempotency(case: Case) -> None:
    """Send the requests to a call that needs a key; a replayed answer did not run again."""
    answers, caller = [], key_for(make_staff("fiona", "finance"))
    with override_settings(ROOT_URLCONF=keyed_calls.__name__):
        for request in case["input"]["requests"]:
            keyed_calls.Keyed.outcome = request.get("outcome", 201)
            headers = caller | ({} if request["key"] is None else {"Idempotency-Key": request["key"]})
            path = request.get("path", "/v1/a")
            answers.append(Client().post(path, request["body"], content_type="text/plain", headers=headers))
    assert [answer.status_code for answer in answers] == case["expected"]["status"]
    if answers[-1].status_code == 400 and len(answers) == 1:
        assert answers[0]["Content-Type"] == "application/problem+json"


CHECKS: dict[str, Callable[[Case], None]] = {
    "cloudevents_json": check_one,
    "cloudevents_http_structured": check_structured,
    "cloudevents_json_batch": check_batch,
    "cloudevents_http_binary": check_binary,
    "openmeter": check_metered,
    "lago": check_lago,
    "stripe_meter_event": check_stripe,
    "stripe_meter_event_batch": check_stripe_batch,
    "problem_details": check_problem,
    "idempotency_key": check_idempotency,
}


@pytest.mark.django_db
@cases.parametrize("events")
def test_an_event_is_taken_or_refused_as_others_do(case: Case) -> None:
    cases.skip_if_excused("events", case=case, group=case["format"])
    assert case["format"] in CHECKS, "neither tested nor listed in deviations.toml"
    CHECKS[case["format"]](case)
