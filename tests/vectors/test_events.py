"""Agreement with CloudEvents and OpenMeter on what an event is."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from metering import capture
from metering.rules.contract import BillableEvent, ContractInForce, DataRules, RuleBook, check_event
from metering.rules.reading import Delivery
from metering.rules.schema import Schema
from tests.vectors import cases
from tests.vectors.cases import Case

EVER, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def accepts(delivery: Delivery, *, value_property: str = "") -> bool:
    """Whether capture takes the event, whose customer and contract exist; CloudEvents itself needs no subject."""
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
    subject = delivery.get("subject") or "acme"
    found = check_event(delivery | {"subject": subject}, rules=RuleBook(contracts=types, customers={subject: 1}))
    return isinstance(found, BillableEvent)


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


CHECKS: dict[str, Callable[[Case], None]] = {
    "cloudevents_json": check_one,
    "cloudevents_http_structured": check_structured,
    "cloudevents_json_batch": check_batch,
    "openmeter": check_metered,
}


@cases.parametrize("events")
def test_an_event_is_taken_or_refused_as_others_do(case: Case) -> None:
    cases.skip_if_excused("events", case=case, group=case["format"])
    assert case["format"] in CHECKS, "neither tested nor listed in deviations.toml"
    CHECKS[case["format"]](case)
