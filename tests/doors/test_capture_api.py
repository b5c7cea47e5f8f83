"""`POST events`: the shapes it takes, what it answers, and who may."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey
from billing_ops.management.commands import check_invariants
from metering.models import CaptureBatch, QuarantinedEvent, UsageEvent
from tests.builders import usage
from tests.builders.sender import API, JSON, Sender, codes

pytestmark = pytest.mark.django_db
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"


@pytest.fixture
def sender() -> Sender:
    usage.house()
    return Sender()


def lines(*events: Any) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)


@pytest.mark.parametrize("content_type", [JSON, STRUCTURED, f"{JSON}; charset=utf-8", "Application/JSON"])
def test_one_event_is_captured(sender: Sender, content_type: str) -> None:
    answer = sender.send(usage.event("a"), content_type)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == JSON
    assert answer.json() == {"received": 1, "accepted": 1, "duplicates": 0, "quarantined": 0, "items": []}


@pytest.mark.parametrize("content_type", [JSON, BATCH])
def test_an_array_is_captured_and_answered_per_item(sender: Sender, content_type: str) -> None:
    events = [usage.event("a"), usage.event("b", subject="nobody"), usage.event("c"), usage.event("a")]
    assert sender.send(events, content_type).json() == {
        "received": 4,
        "accepted": 2,
        "duplicates": 1,
        "quarantined": 1,
        "items": [
            {
                "index": 1,
                "id": "b",
                "status": "quarantined",
                "reasons": [
                    {
                        "code": "customer_unknown",
                        "detail": "No customer has the code 'nobody', nor that id in the system 'subject'.",
                        "pointer": "/subject",
                    }
                ],
            },
            {"index": 3, "id": "a", "status": "duplicate"},
        ],
    }


def test_one_event_per_line_is_captured_and_empty_lines_count_for_nothing(sender: Sender) -> None:
    body = b"\r\n\n" + lines(usage.event("a")) + b"\r\n\n" + lines(usage.event("b")) + b"\n\n"
    assert sender.send(body, LINES).json()["accepted"] == 2


def test_a_line_that_is_not_json_is_held_back_by_itself(sender: Sender) -> None:
    body = lines(usage.event("a")) + b'\n{"id": "torn", \n\xff\xfe\n' + lines(usage.event("b"))
    answer = sender.send(body, LINES).json()
    assert (answer["accepted"], answer["quarantined"]) == (2, 2)
    assert [item["index"] for item in answer["items"]] == [1, 2]
    assert [item["reasons"][0]["code"] for item in answer["items"]] == ["malformed_json", "malformed_json"]
    assert QuarantinedEvent.objects.filter(raw=r"\xff\xfe").exists()


def test_an_empty_array_is_a_legal_batch_of_nothing(sender: Sender) -> None:
    answer = sender.send([])
    assert answer.json() == {"received": 0, "accepted": 0, "duplicates": 0, "quarantined": 0, "items": []}
    assert not CaptureBatch.objects.exists()


def test_gzip_is_welcome_in_one_member_or_several(sender: Sender) -> None:
    assert sender.send_gzip(lines(usage.event("a"))).json()["accepted"] == 1
    whole = lines(usage.event("b"), usage.event("c"))
    body = gzip.compress(whole[:100]) + gzip.compress(whole[100:])
    answer = sender.send(body, LINES, **{"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 2


def test_a_byte_order_mark_does_no_harm(sender: Sender) -> None:
    assert sender.send(b"\xef\xbb\xbf" + lines(usage.event("a"))).json()["accepted"] == 1


def test_a_delivery_may_be_repeated_at_will(sender: Sender) -> None:
    events = [usage.event("a"), usage.event("b")]
    sender.send(events)
    answer = sender.send(events, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (0, 2)
    assert UsageEvent.objects.count() == 2


def test_an_id_of_ten_thousand_characters_is_counted_once_found_and_corrected(sender: Sender) -> None:
    long = "x" * 9_999
    events = [usage.event(f"{long}1"), usage.event(f"{long}2")]
    assert sender.send(events).json()["accepted"] == 2
    assert sender.send(events).json()["duplicates"] == 2
    assert sender.get(f"events/api/eu/{long}1").json()["extras"] == {"id": f"{long}1"}
    (listed,) = sender.get("events", source="api/eu", id=f"{long}2").json()["results"]
    assert listed["extras"] == {"id": f"{long}2"}
    assert sender.send(usage.event("b", corrects=f"{long}1", correction="cancel")).json()["accepted"] == 1
    assert sender.get(f"events/api/eu/{long}1").json()["correction"]["kind"] == "cancelled"
    assert [found for one in check_invariants.all_invariants() for found in one.find_offenders()] == []


def test_the_same_identity_with_another_body_is_a_conflict(sender: Sender) -> None:
    sender.send(usage.event("a"))
    answer = sender.send(usage.event("a", data={"input_tokens": 4, "output_tokens": 5}))
    assert answer.status_code == 200
    assert codes(answer) == ["conflict"]
    assert UsageEvent.objects.get().data["input_tokens"] == 3


def test_the_batch_remembers_which_key_sent_it(sender: Sender) -> None:
    sender.send(usage.event("a"))
    assert CaptureBatch.objects.get().origin == f"key:{ApiKey.objects.get().public_id}"


def test_the_future_is_judged_by_the_database_clock(sender: Sender) -> None:
    soon = (timezone.now() + usage.minutes(4)).isoformat()
    later = (timezone.now() + usage.minutes(6)).isoformat()
    answer = sender.send([usage.event("a", time=soon), usage.event("b", time=later)]).json()
    assert answer["accepted"] == 1
    assert [reason["code"] for reason in answer["items"][0]["reasons"]] == ["time_in_future"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/xml", f"{JSON}; charset=latin-1"],
)
def test_another_media_type_is_refused(sender: Sender, content_type: str) -> None:
    answer = sender.send(usage.event("a"), content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_content_coding_is_refused(sender: Sender) -> None:
    assert sender.send(usage.event("a"), **{"Content-Encoding": "br"}).status_code == 415


def test_without_a_key_nothing_is_read() -> None:
    answer = Client().post(f"{API}events", b"[]", JSON)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_revoked_key_is_refused(sender: Sender) -> None:
    keys.revoke_key(key_id=ApiKey.objects.get().pk, reason="lost", actor=None, at=usage.NOON)
    assert sender.send(usage.event("a")).status_code == 401


@pytest.mark.parametrize("role", ["auditor", "product", "finance", "ops"])
def test_only_engineers_send_events(role: str) -> None:
    assert Sender(usage.api_key("someone", role)).send([]).status_code == 403


@pytest.mark.parametrize(("scopes", "status"), [(["events:write"], 200), (["write"], 200), (["read"], 403)])
def test_the_key_needs_a_scope_to_send(scopes: list[str], status: int) -> None:
    assert Sender(usage.api_key(scopes=scopes)).send([]).status_code == status


def test_a_key_for_sending_cannot_read() -> None:
    assert Sender(usage.api_key(scopes=["events:write"])).get("events").status_code == 403
