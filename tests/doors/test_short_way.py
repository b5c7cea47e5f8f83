"""`POST events` with a key goes the short way: it answers exactly as the long way does, and lets nobody else in."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey
from metering.models import CaptureBatch, UsageEvent
from tests.builders import usage
from tests.builders.people import make_staff
from tests.builders.sender import API, JSON, Sender

pytestmark = pytest.mark.django_db
LONG = {"Accept": "application/json;q=0.9"}  # who asks for a form in so many words goes the long way
OF_DRF = {"Allow", "Vary"}  # what the long way adds for readers and people
LINES = "application/x-ndjson"


@pytest.fixture
def sender() -> Sender:
    usage.house()
    return Sender()


def event_bytes(event_id: str, **changes: Any) -> bytes:
    return json.dumps(usage.event(event_id, **changes)).encode()


LAGO = b'{"event": {"transaction_id": "TAG", "external_subscription_id": "nobody", "code": "nothing"}}'
ONE, OTHER, EMPTY = event_bytes("TAG"), event_bytes("TAG2", subject="nobody"), event_bytes("TAG3", data={})
BODIES: dict[str, tuple[bytes, str, dict[str, str]]] = {
    "one": (ONE, JSON, {}),
    "mixed": (b"[" + b",".join([ONE, OTHER, ONE, EMPTY]) + b"]", JSON, {}),
    "lines": (ONE + b"\n{torn\n", LINES, {}),
    "gzip": (gzip.compress(OTHER), JSON, {"Content-Encoding": "gzip"}),
    "binary": (b'{"a": 1}', JSON, {"ce-specversion": "1.0", "ce-id": "x", "ce-type": "unknown"}),
    "lago": (LAGO, JSON, {}),
    "nothing": (b"[]", JSON, {}),
    "empty": (b" ", JSON, {}),
    "torn": (b'{"id": ', JSON, {}),
    "number": (b"7", JSON, {}),
    "form": (b"id=1", "application/x-www-form-urlencoded", {}),
    "coding": (b"[]", JSON, {"Content-Encoding": "br"}),
    "many": (b"[" + b"0," * 10_001 + b"0]", JSON, {}),
}


@pytest.mark.parametrize("name", BODIES)
def test_both_ways_answer_alike(sender: Sender, name: str) -> None:
    body, content_type, headers = BODIES[name]
    seen = []
    for tag, way in ((b"aaa", {}), (b"bbb", LONG)):  # identities of its own for each way
        answer = sender.send(body.replace(b"TAG", tag), content_type, **headers, **way)
        assert ("Allow" in answer.headers) == bool(way)  # the way it went
        told = {name: value for name, value in answer.headers.items() if name not in OF_DRF}
        seen.append((answer.status_code, answer.content.replace(tag, b"TAG"), told))
    assert seen[0] == seen[1]


def test_what_came_the_short_way_is_stored_as_sent_by_its_key(sender: Sender) -> None:
    answer = sender.send([usage.event("a"), usage.event("b")])
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert "Allow" not in answer.headers
    assert UsageEvent.objects.count() == 2
    assert CaptureBatch.objects.get().origin == f"key:{ApiKey.objects.get().public_id}"
    assert ApiKey.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    "text", ["", "Bearer", "Bearer bo_x_y", "Bearer \x00", "Basic YTpi", "bo_1_2", "Bearer " + "k" * 999]
)
def test_whoever_is_not_known_is_refused_in_the_words_of_the_long_way(text: str) -> None:
    usage.house()
    answer = Client().post(f"{API}events", b"[]", JSON, headers={"Authorization": text})
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_a_person_who_lost_the_role_or_the_place_sends_nothing_more(sender: Sender) -> None:
    person = ApiKey.objects.get().user
    person.groups.clear()
    assert sender.send([]).status_code == 403
    person.is_active = False
    person.save()
    assert sender.send([]).status_code == 401


def test_a_session_of_the_back_office_still_needs_its_token() -> None:
    """No key, so it goes the long way, where a request from a foreign page is refused."""
    usage.house()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_staff("erin", "engineering"))
    assert browser.post(f"{API}events", b"[]", JSON).status_code == 403


def test_a_form_that_is_not_there_is_still_refused(sender: Sender) -> None:
    assert sender.send([], Accept="text/html").status_code == 406
