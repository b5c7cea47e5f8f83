"""Bad bodies by class, over real HTTP, at every address that takes events: refused or held back, never a server error.

Each is sent among good events where the form has batches: nothing else is lost. Memory does not grow with them.
"""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from pytest_django.live_server_helper import LiveServer
from standardwebhooks.webhooks import Webhook

from accounts import external_ids
from metering import webhooks
from metering.models import UsageEvent
from tests.builders import bad_bodies, usage
from tests.builders.bad_bodies import FAMILIES, Bad

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MEMORY_GROWTH_MAX = 64 * 2**20
REFUSED = range(400, 500)
TAKEN = (200, 204)
MAPPING = {"type": "=llm.tokens", "subject": "=acme", "data": ""}


# A metered value may be a text here, as forms know nothing else: what is a number is for capture to say.
NUMBER = {"type": ["number", "string"]}
SCHEMA = {"type": "object", "properties": {"input_tokens": NUMBER, "output_tokens": NUMBER}}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.customer()
    usage.contract(schema=SCHEMA)
    usage.meter()
    for system in ("stripe", "lago"):
        external_ids.add_external_id(
            customer_code="acme", system=system, external_id="acme-there", actor=usage.person("enza"), at=usage.NOON
        )


class Door:
    """One connection with a key, and the addresses that take events."""

    def __init__(self, live_server: LiveServer) -> None:
        self.base = live_server.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {usage.api_key(scopes=['events:write', 'read', 'write'])}"
        owner = usage.person("olga", "engineering")
        self.secret = webhooks.create_source(
            code="crm", description="x", mapping=MAPPING, actor=owner, at=usage.NOON
        ).text
        self.sent = 0

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        return self.session.post(f"{self.base}{path}", data=content, headers=headers, timeout=60)

    def good(self) -> str:
        self.sent += 1
        return f"good {self.sent}"

    def among_good_events(self, bad: Bad) -> requests.Response:
        first, last = self.good(), self.good()
        good = [json.dumps(usage.event(name)) for name in (first, last)]
        answer = self.post("/api/v1/events", f"[{good[0]},{bad.event},{good[1]}]", **JSON)
        self.expect(answer, bad, first, last)
        return answer

    def among_good_lines(self, bad: Bad) -> requests.Response:
        first, last = self.good(), self.good()
        good = [json.dumps(usage.event(name)) for name in (first, last)]
        lines = f"{good[0]}\n{bad.event.replace(chr(10), ' ')}\n{good[1]}"
        answer = self.post("/api/v1/events", lines, **{"Content-Type": "application/x-ndjson"})
        self.expect(answer, bad, first, last)
        return answer

    def binary(self, bad: Bad) -> requests.Response:
        attributes = {"ce-specversion": "1.0", "ce-id": "bad", "ce-source": "api/eu", "ce-type": "llm.tokens"}
        attributes |= {"ce-subject": "acme", "ce-time": "2026-03-02T11:00:00Z"}
        return self.post("/api/v1/events", bad.data, **JSON, **attributes)

    def lago_batch(self, bad: Bad) -> requests.Response:
        name = self.good()
        good = {
            "transaction_id": name,
            "external_subscription_id": "acme-there",
            "code": usage.EVENT_TYPE,
            "properties": {"input_tokens": 1, "output_tokens": 1},
        }
        answer = self.post("/api/v1/events/batch", f'{{"events":[{json.dumps(good)},{bad.lago}]}}', **JSON)
        if answer.status_code == 422 and "error_details" in answer.json():
            assert UsageEvent.objects.filter(event_id=name).exists() is ("events" not in answer.json()["error_details"])
        return answer

    def stripe_form(self, bad: Bad) -> requests.Response:
        text = {"event_name": _text(bad.type), "identifier": _text(bad.id), "payload[stripe_customer_id]": "acme-there"}
        fields = text | {f"payload[{_text(bad.name)}]": _text(bad.value), "payload[output_tokens]": "1"}
        body = "&".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        return self.post("/v1/billing/meter_events", body, **FORM)

    def stripe_stream(self, bad: Bad) -> requests.Response:
        return self.post("/v2/billing/meter_event_stream", f'{{"events":[{bad.stripe}]}}', **JSON)

    def openmeter(self, bad: Bad) -> requests.Response:
        return self.post("/openmeter/api/v1/events", bad.event, **{"Content-Type": "application/cloudevents+json"})

    def webhook(self, bad: Bad) -> requests.Response:
        at, body = datetime.now(UTC), bad.data.encode("utf-8", "surrogatepass")
        self.sent += 1
        message = f"msg_{self.sent}"
        signed = {
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message, at, body.decode()),
        }
        return self.post("/api/v1/capture/webhooks/crm", body, **JSON, **signed)

    def expect(self, answer: requests.Response, bad: Bad, *good: str) -> None:
        """Refused as a whole, or held back with the good ones accepted and nothing else."""
        if answer.status_code == 200:
            assert answer.json()["accepted"] - len(good) in (0, bad.is_legal), answer.text[:500]
        else:
            assert not UsageEvent.objects.filter(event_id__in=good).exists()


def _text(value: str) -> str:
    """What a JSON text says, for forms that have only texts; anything else as it is written."""
    return str(json.loads(value)) if value.startswith('"') else value


def _quoted(text: str) -> str:
    return requests.utils.quote(text.encode("utf-8", "surrogatepass"), safe="")


ATTRIBUTES = {"id", "type", "subject", "source", "more"}
# With what each takes over of a bad event: the rest of it is as usual there.
OTHERS: dict[Callable[[Door, Bad], requests.Response], set[str]] = {
    Door.among_good_lines: {"value", "name", *ATTRIBUTES},
    Door.binary: {"value", "name"},
    Door.lago_batch: {"value", "name", "id", "type", "subject"},
    Door.stripe_form: {"value", "name", "id", "type"},
    Door.stripe_stream: {"value", "name", "id", "type", "subject"},
    Door.openmeter: {"value", "name", *ATTRIBUTES},
    Door.webhook: {"value", "name"},
}


@pytest.fixture
def door(live_server: LiveServer) -> Door:
    return Door(live_server)


@pytest.fixture
def memory_is_bounded() -> Iterator[None]:
    before = memory_in_use()
    yield
    assert memory_in_use() - before < MEMORY_GROWTH_MAX


def memory_in_use() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def strangers() -> list[str]:
    """The ids of accepted events that were not sent as good ones."""
    return list(UsageEvent.objects.exclude(event_id__startswith="good ").values_list("event_id", flat=True))


def test_the_same_without_anything_bad_is_accepted_at_every_address(door: Door) -> None:
    sends = [Door.among_good_events, *OTHERS]
    for number, send in enumerate(sends):
        answer = send(door, Bad(id=f'"usual {number}"', is_legal=True))
        assert answer.status_code in TAKEN, answer.text[:500]
    assert len(strangers()) == len(sends)


@pytest.mark.usefixtures("memory_is_bounded")
@pytest.mark.parametrize("family", FAMILIES)
def test_bad_bodies_are_refused_or_held_back_at_every_address(door: Door, family: str) -> None:
    bodies = list(FAMILIES[family]())
    assert len(bodies) >= 50
    wrong = []
    for number, bad in enumerate(bodies):
        # Each at the usual address, and at one of the others in turn.
        others = [send for send, taken_over in OTHERS.items() if bad.odd <= taken_over]
        for send in (Door.among_good_events, others[number % len(others)]):
            status = send(door, bad).status_code
            if status not in TAKEN and status not in REFUSED:
                wrong.append((send.__name__, status, bad.event[:200]))
    assert wrong == []
    legal = tuple(bad.id[1:100] for bad in bodies if bad.is_legal)
    assert [event_id for event_id in strangers() if not event_id.startswith(legal)] == []


@pytest.mark.usefixtures("memory_is_bounded")
def test_bodies_without_measure_are_refused(door: Door) -> None:
    item = json.dumps(usage.event("one")).encode()
    bodies: list[tuple[Any, dict[str, str]]] = [
        ((b" " * 2**20 for _ in range(100)), {}),
        (bad_bodies.gzip_bomb(), {"Content-Encoding": "gzip"}),
        (b"[" + b",".join([item] * 100_000) + b"]", {}),
        (b"[" + b"{}," * 99_999 + b"{}]", {}),
        (b'{"' + b"k" * 9 * 2**20 + b'":1}', {}),
        (b"\x1f\x8b" + b"\x00" * 1000, {"Content-Encoding": "gzip"}),
    ]
    for body, headers in bodies:
        answer = door.session.post(f"{door.base}/api/v1/events", data=body, headers=JSON | headers, timeout=120)
        assert answer.status_code in REFUSED, answer.text[:200]
    assert not UsageEvent.objects.exists()


def test_names_never_reach_a_statement_as_text(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    names = list(bad_bodies.hostile_names())
    assert len(names) >= 50
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(query if isinstance(query, str) else str(query))
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    span = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}
    wrong = []
    for name in names:
        calls = [
            ("usage", {"customer": "acme", "meter": "input-tokens", **span, "group_by": name}),
            ("usage", {"customer": name[:60], "meter": name[:60], **span}),
            ("events", {"type": name[:120], "meter": name[:60]}),
            ("quarantine", {"type": name, "subject": name}),
        ]
        for path, query in calls:
            answer = door.session.get(f"{door.base}/api/v1/{path}", params=query, timeout=60)
            if answer.status_code >= 500:
                wrong.append((path, answer.status_code, name))
        made = door.session.post(
            f"{door.base}/api/v1/webhook-sources",
            json={"code": "x", "description": "x", "mapping": {"type": name, "subject": "/s", "data": {name: "/a"}}},
            timeout=60,
        )
        if made.status_code >= 500:
            wrong.append(("webhook-sources", made.status_code, name))
    assert wrong == []
    assert [name for name in names if len(name) > 5 and any(name in text for text in statements)] == []
