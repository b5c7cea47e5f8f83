"""The page of a contract for engineers: what it says, the command it gives, and the box to try an event."""

import html
import json
import re
import subprocess
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from metering.models import CaptureBatch, EventContract, QuarantinedEvent, UsageEvent
from tests.builders import usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
LARGE = {"property": "model", "operator": "equals", "value": "large"}


def client(role: str = "engineering") -> Client:
    signed = Client()
    signed.force_login(usage.person(f"some-{role}", role))
    return signed


def address() -> str:
    return reverse("admin:metering_eventcontract_page", args=[EventContract.objects.get().pk])


def shown(role: str = "engineering", event: dict[str, Any] | str | None = None) -> str:
    signed = client(role)
    if event is None:
        return signed.get(address()).content.decode()
    text = event if isinstance(event, str) else json.dumps(event)
    return signed.post(address(), {"event": text}).content.decode()


def nothing_is_stored() -> bool:
    return not (UsageEvent.objects.exists() or CaptureBatch.objects.exists() or QuarantinedEvent.objects.exists())


class TestPage:
    def test_it_says_what_to_send_and_who_reads_it(self) -> None:
        usage.house()
        text = shown("product")
        assert "Version 1 is in force" in text
        for wanted in ("input_tokens", "number, minimum 0", "billing needs it", "input-tokens", "data_not_object"):
            assert wanted in text

    def test_a_contract_that_is_not_in_force_says_so(self) -> None:
        EventContract.objects.create(event_type="x", description="X.", owner=usage.person("enza", "engineering"))
        assert "No version is in force" in shown()

    @pytest.mark.parametrize(
        ("event", "says"),
        [
            (usage.event(), "It would be accepted."),
            (usage.event(subject="nobody"), "customer_unknown at /subject"),
            (usage.event(data={"input_tokens": -1, "output_tokens": 1}), "schema_minimum at /data/input_tokens"),
            (usage.event(type="other"), "try the event there"),
            ("{", "This cannot be tried"),
            ("[]", "Try one event at a time"),
            ('{"a": 1, "a": 2}', "duplicate_key"),
        ],
    )
    def test_an_event_is_tried_and_not_stored(self, event: Any, says: str) -> None:
        usage.house()
        text = event if isinstance(event, str) else json.dumps(event)
        assert says in html.unescape(shown(event=text))
        assert nothing_is_stored()

    def test_whoever_is_no_staff_sees_nothing(self) -> None:
        usage.house()
        signed = Client()
        signed.force_login(usage.person("nobody"))
        assert signed.get(address()).status_code in (302, 403)


class TestTryingByApi:
    def test_it_says_what_each_meter_would_count(self) -> None:
        usage.house()
        usage.meter("requests", aggregation="count", value_property="")
        usage.meter("large", filters=[LARGE])
        answer = Sender().post("contracts/llm.tokens/try", usage.event()).json()
        assert (answer["status"], answer["reasons"]) == ("accepted", [])
        assert [(one["meter"], one["counts"], one["value"], one["why_not"]) for one in answer["meters"]] == [
            ("input-tokens", True, "3", ""),
            ("requests", True, "1", ""),
            ("large", False, None, "its filters leave this event out"),
        ]
        assert nothing_is_stored()

    def test_a_duplicate_and_a_conflict_are_told_apart(self) -> None:
        usage.house()
        usage.capture(usage.event())
        sender = Sender()
        assert sender.post("contracts/llm.tokens/try", usage.event()).json()["status"] == "duplicate"
        other = sender.post("contracts/llm.tokens/try", usage.event(data={"input_tokens": 9, "output_tokens": 1}))
        assert [reason["code"] for reason in other.json()["reasons"]] == ["conflict"]
        assert (UsageEvent.objects.count(), QuarantinedEvent.objects.count()) == (1, 0)

    @pytest.mark.parametrize("body", [[], "text", 7, None])
    def test_what_is_no_event_is_refused(self, body: Any) -> None:
        usage.house()
        assert Sender().post("contracts/llm.tokens/try", body).status_code in (200, 400, 422)

    def test_the_contract_names_its_page(self) -> None:
        usage.house()
        assert Sender().get("contracts/llm.tokens").json()["page"] == address()


@pytest.mark.django_db(transaction=True)
def test_the_command_works_when_pasted(live_server: LiveServer) -> None:
    usage.house()
    key = usage.api_key()
    signed = client()
    page = signed.get(address(), headers={"host": live_server.url.removeprefix("http://")}).content.decode()
    found = re.search(r'id="command">(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    done = subprocess.run(
        ["/bin/bash", "-c", html.unescape(found[1])],
        env={"BILLING_OPS_KEY": key, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["accepted"] == 1, done.stdout
