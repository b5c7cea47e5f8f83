"""Reading events, deciding quarantined ones, keeping contracts and meters, and the health of metering, over HTTP."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from metering.models import CaptureBatch, EventContract, Meter, MeterVersion, QuarantinedEvent, UsageEvent
from tests.builders import usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
VERSION: dict[str, Any] = {
    "schema": {"type": "object", "properties": {"gb": {"type": "number", "multipleOf": 0.01}, "region": {}}},
    "billing_fields": ["gb"],
    "context_fields": ["region"],
    "valid_examples": [{"gb": 0.07}],
    "invalid_examples": [
        {"data": {"gb": 0.075}, "code": "schema_multipleOf", "pointer": "/data/gb"},
        {"data": {}, "code": "billing_field_missing", "pointer": "/data/gb"},
    ],
}


@pytest.fixture
def sender() -> Sender:
    usage.house()
    return Sender()


class TestEvents:
    """What was accepted can be looked up."""

    def test_an_event_is_shown_as_it_was_captured(self, sender: Sender) -> None:
        sender.send(usage.event("a", region="eu", time="2026-03-02T11:00:00.123456789Z"))
        sender.send(
            b'{"specversion":"1.0","id":"b","source":"api/eu","type":"llm.tokens","subject":"acme",'
            b'"time":"2026-03-02T11:00:00Z","data":{"input_tokens":0.10,"output_tokens":12345678901234567890}}'
        )
        second, first = sender.get("events").json()["results"]
        stored = UsageEvent.objects.get(event_id="a")
        assert first.pop("received_at").endswith("Z")
        assert first == {
            "seq": stored.seq,
            "source": "api/eu",
            "id": "a",
            "type": "llm.tokens",
            "subject": "acme",
            "time": "2026-03-02T11:00:00.123456Z",
            "contract_version": 1,
            "batch": stored.batch_id,
            "fingerprint": bytes(stored.fingerprint).hex(),
            "data": {"input_tokens": 3, "output_tokens": 5},
            "extras": {"region": "eu", "time": "2026-03-02T11:00:00.123456789Z"},
            "correction": None,
        }
        assert b'"input_tokens":0.10,"output_tokens":12345678901234567890' in sender.get("events/api/eu/b").content
        assert second["id"] == "b"

    def test_an_event_that_was_corrected_says_so(self, sender: Sender) -> None:
        sender.send([usage.event("a"), usage.event("b")])
        sender.send(
            [usage.event("x", corrects="a", correction="cancel"), usage.event("y", corrects="b", correction="amend")]
        )
        found = {event["id"]: event["correction"] for event in sender.get("events").json()["results"]}
        seqs = dict(UsageEvent.objects.values_list("event_id", "seq"))
        assert found == {
            "a": {"kind": "cancelled", "seq": seqs["x"]},
            "b": {"kind": "amended", "seq": seqs["y"]},
            "x": {"kind": "cancels", "seq": seqs["x"]},
            "y": None,
        }
        assert sender.get("events/api/eu/a").json()["correction"]["kind"] == "cancelled"

    def test_events_are_narrowed_by_customer_meter_type_and_period(self, sender: Sender) -> None:
        usage.customer("other")
        usage.contract("other.type")
        sender.send(
            [
                usage.event("a"),
                usage.event("b", time="2026-03-03T00:00:00Z"),
                usage.event("c", subject="other"),
                usage.event("d", type="other.type"),
            ]
        )

        def ids(**query: str) -> list[str]:
            return [event["id"] for event in sender.get("events", **query).json()["results"]]

        assert ids() == ["d", "c", "b", "a"]
        assert ids(customer="acme") == ["d", "b", "a"]
        assert ids(meter="input-tokens") == ["c", "b", "a"]
        assert ids(type="other.type") == ["d"]
        assert ids(start="2026-03-03T00:00:00Z") == ["b"]
        assert ids(end="2026-03-03T00:00:00Z", customer="acme", type="llm.tokens") == ["a"]
        assert ids(source="api/eu", id="c") == ["c"]

    def test_the_list_pages_by_cursor(self, sender: Sender) -> None:
        sender.send([usage.event(str(number)) for number in range(5)])
        first = sender.get("events", page_size="2").json()
        assert [event["id"] for event in first["results"]] == ["4", "3"]
        rest = sender.client.get(first["next"], headers=sender.headers).json()
        assert [event["id"] for event in rest["results"]] == ["2", "1"]

    @pytest.mark.parametrize(
        "query",
        [
            {"customer": "nobody"},
            {"meter": "nothing"},
            {"type": "x" * 500},
            {"start": "yesterday"},
            {"start": "2026-03-02T11:00:00"},
            {"end": "9999-99-99T00:00:00Z"},
            {"source": "api/eu"},
        ],
    )
    def test_a_question_without_an_answer_is_refused(self, sender: Sender, query: dict[str, str]) -> None:
        answer = sender.get("events", **query)
        assert answer.status_code == 422
        assert answer.json()["errors"]

    @pytest.mark.parametrize(
        ("source", "event_id"),
        [
            ("api/eu", "1"),
            ("/mycontext/sub", "C-1"),
            ("urn:uuid:6e8b", "a b"),
            ("https://x.example/a?b=1#c", "50%"),
            ("s", "a/b/c"),
        ],
    )
    def test_one_event_is_found_by_its_identity(self, sender: Sender, source: str, event_id: str) -> None:
        sender.send(usage.event(event_id, source=source))
        for safe in ("", "/"):
            answer = sender.get(f"events/{quote(source, safe=safe)}/{quote(event_id, safe='')}")
            assert (answer.json()["source"], answer.json()["id"]) == (source, event_id)

    def test_a_path_that_means_two_events_is_not_guessed(self, sender: Sender) -> None:
        sender.send([usage.event("b/c", source="a"), usage.event("c", source="a/b")])
        assert (answer := sender.get("events/a/b/c")).status_code == 409
        assert answer.json()["code"] == "ambiguous_identity"
        assert len(sender.get("events", source="a", id="b/c").json()["results"]) == 1

    @pytest.mark.parametrize("path", ["nothing/here", "alone", "/", "a/" * 60, "%ff/x", "x" * 3000 + "/y"])
    def test_what_is_not_there_is_not_found(self, sender: Sender, path: str) -> None:
        assert sender.get(f"events/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["events/%00/%00", "contracts/%00", "meters/%00", "events?customer=%00", "quarantine?type=%00"]
)
def test_a_nul_is_never_a_server_error(sender: Sender, path: str) -> None:
    assert sender.client.get(f"/api/v1/{path}", headers=sender.headers).status_code in {400, 404, 422}


class TestQuarantine:
    """Held events are reviewed and decided."""

    @pytest.fixture
    def held(self, sender: Sender) -> QuarantinedEvent:
        sender.send([usage.event("a", subject="newco"), usage.event("b", type="other")])
        return QuarantinedEvent.objects.get(event_id="a")

    def test_held_events_are_listed_and_narrowed(self, sender: Sender, held: QuarantinedEvent) -> None:
        def ids(**query: str) -> list[str]:
            return sorted(event["event_id"] for event in sender.get("quarantine", **query).json()["results"])

        assert ids() == ["a", "b"]
        assert ids(status="open", code="customer_unknown") == ["a"]
        assert ids(type="other") == ["b"]
        assert ids(subject="newco") == ["a"]
        assert ids(status="discarded") == []
        assert sender.get("quarantine", code="'; DROP TABLE").status_code == 422
        assert sender.get("quarantine", status="lost").status_code == 422

    def test_one_shows_what_was_sent_and_why_it_was_held(self, sender: Sender, held: QuarantinedEvent) -> None:
        shown = sender.get(f"quarantine/{held.pk}").json()
        assert (shown["source"], shown["times_seen"], shown["raw"]) == ("api/eu", 1, held.raw)
        assert shown["reasons"] == [
            {
                "code": "customer_unknown",
                "detail": "No customer has the code 'newco', nor that id in the system 'subject'.",
                "pointer": "/subject",
            }
        ]

    def test_a_release_answers_what_the_check_said(self, sender: Sender, held: QuarantinedEvent) -> None:
        answer = sender.post(f"quarantine/{held.pk}/release").json()
        assert (answer["outcome"], answer["reasons"][0]["code"]) == ("quarantined", "customer_unknown")
        usage.customer("newco")
        answer = sender.post(f"quarantine/{held.pk}/release", {"reason": "customer made"}).json()
        assert (answer["outcome"], answer["event"]["status"]) == ("accepted", "released")
        assert (answer["event"]["decided_by"], answer["event"]["decision_reason"]) == ("enza", "customer made")
        assert sender.post(f"quarantine/{held.pk}/release").json()["code"] == "already_decided"

    def test_a_repeated_release_with_its_key_is_one_release(self, sender: Sender, held: QuarantinedEvent) -> None:
        usage.customer("newco")
        answers = [sender.post(f"quarantine/{held.pk}/release", **{"Idempotency-Key": "k"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content

    def test_a_discard_needs_a_reason(self, sender: Sender, held: QuarantinedEvent) -> None:
        refused = sender.post(f"quarantine/{held.pk}/discard", {"reason": " "})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
        assert sender.post(f"quarantine/{held.pk}/discard", {"reason": "a test"}).json()["status"] == "discarded"

    def test_what_was_discarded_is_taken_up_again_and_named_by_what_continues_it(
        self, sender: Sender, held: QuarantinedEvent
    ) -> None:
        discarded = sender.post(f"quarantine/{held.pk}/discard", {"reason": "a test"}).json()
        refused = sender.post(f"quarantine/{held.pk}/take-up", {"reason": " "})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
        answers = [
            sender.post(f"quarantine/{held.pk}/take-up", {"reason": "no test"}, **{"Idempotency-Key": "k"})
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content
        again = answers[0].json()
        assert (again["status"], again["event_id"], again["continues"]) == ("open", "a", held.pk)
        assert (again["received_at"], again["decided_by"]) == (discarded["received_at"], None)
        assert QuarantinedEvent.objects.get(pk=again["id"]).history.get().history_user == User.objects.get(
            username="enza"
        )
        before = sender.get(f"quarantine/{held.pk}").json()
        assert (before["status"], before["decision_reason"], before["continues"]) == ("discarded", "a test", None)
        for number in (held.pk, again["id"]):
            refused = sender.post(f"quarantine/{number}/take-up", {"reason": "once more"})
            assert (refused.status_code, refused.json()["code"]) == (409, "not_discarded")

    @pytest.mark.parametrize("role", ["product", "finance", "auditor"])
    def test_others_only_look(self, held: QuarantinedEvent, role: str) -> None:
        reader = Sender(usage.api_key("someone", role))
        assert reader.get("quarantine").status_code == 200
        assert reader.post(f"quarantine/{held.pk}/release").status_code == 403
        assert reader.post(f"quarantine/{held.pk}/discard", {"reason": "x"}).status_code == 403
        assert reader.post(f"quarantine/{held.pk}/take-up", {"reason": "x"}).status_code == 403

    @pytest.mark.parametrize("number", ["0", "999999", "1" * 30, "abc", "-1"])
    def test_what_is_not_there_is_not_found(self, sender: Sender, number: str) -> None:
        assert sender.get(f"quarantine/{number}").status_code == 404
        assert sender.post(f"quarantine/{number}/release").status_code == 404
        assert sender.post(f"quarantine/{number}/take-up", {"reason": "x"}).status_code == 404


class TestContracts:
    """Contracts are opened, proved and put in force."""

    @pytest.fixture
    def engineer(self) -> Sender:
        return Sender()

    def test_one_call_opens_proves_and_puts_in_force(self, engineer: Sender) -> None:
        body = {"type": "storage.gb", "description": "Stored.", **VERSION, "activate": True}
        answer = engineer.post("contracts", body)
        assert answer.status_code == 201
        assert answer.json()["owner"] == "enza"
        (version,) = answer.json()["versions"]
        assert (version["version"], version["status"], version["billing_fields"]) == (1, "active", ["gb"])
        assert b'"valid_examples":[{"gb":0.07}]' in answer.content
        usage.customer()
        assert engineer.send(usage.event(type="storage.gb", data={"gb": 0.01})).json()["accepted"] == 1

    def test_a_refusal_points_at_the_example(self, engineer: Sender) -> None:
        body = {"type": "storage.gb", "description": "Stored.", **VERSION, "activate": True}
        answer = engineer.post("contracts", body | {"valid_examples": [{"gb": 0.07}, {"gb": 0.001}]})
        assert (answer.status_code, answer.json()["code"]) == (422, "not_proved")
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/valid_examples/1/data/gb"]
        assert not EventContract.objects.exists()

    def test_versions_follow_each_other(self, engineer: Sender) -> None:
        engineer.post("contracts", {"type": "storage.gb", "description": "Stored."})
        assert engineer.post("contracts/storage.gb/versions", VERSION).json()["status"] == "draft"
        assert engineer.post("contracts/storage.gb/versions/1/activate").json()["status"] == "active"
        assert engineer.post("contracts/storage.gb/versions", VERSION | {"activate": True}).json()["version"] == 2
        versions = engineer.get("contracts/storage.gb").json()["versions"]
        assert [(version["version"], version["status"]) for version in versions] == [(2, "active"), (1, "retired")]
        assert (
            engineer.get("contracts/storage.gb/versions/1").json()["schema"]["properties"]["gb"]["multipleOf"] == 0.01
        )
        assert engineer.post("contracts/storage.gb/versions/1/activate").json()["code"] == "not_a_draft"

    def test_the_words_about_a_contract_may_change(self, engineer: Sender) -> None:
        engineer.post("contracts", {"type": "storage.gb", "description": "Stored."})
        assert engineer.patch("contracts/storage.gb", {"description": "GB."}).json()["description"] == "GB."
        assert engineer.get("contracts").json()["results"][0]["description"] == "GB."

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"type": "a b"}, "/event_type"),
            ({"type": None}, "/type"),
            ({"description": ""}, "/description"),
            ({"schema": {"type": 5}}, "/schema"),
            ({"schema": "text"}, "/schema"),
            ({"billing_fields": "gb"}, "/billing_fields"),
            ({"billing_fields": [1, {}]}, "/billing_fields/1"),
            ({"billing_fields": ["other"]}, "/billing_fields/0"),
            ({"valid_examples": {"a": 1}}, "/valid_examples"),
            ({"accepts_past_days": 10**30}, "/accepts_past_days"),
            ({"activate": "maybe"}, "/activate"),
        ],
    )
    def test_a_field_that_cannot_be_used_is_named(
        self, engineer: Sender, changes: dict[str, Any], pointer: str
    ) -> None:
        body = {"type": "storage.gb", "description": "Stored.", **VERSION, "activate": True}
        answer = engineer.post("contracts", body | changes)
        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]

    def test_only_engineers_keep_contracts(self) -> None:
        product = Sender(usage.api_key("paul", "product"))
        assert product.post("contracts", {"type": "a", "description": "b"}).status_code == 403
        assert product.get("contracts").status_code == 200

    def test_what_is_not_there_is_not_found(self, engineer: Sender) -> None:
        for path in ("contracts/none", "contracts/none/versions/1", "contracts/none/versions/" + "9" * 30):
            assert engineer.get(path).status_code == 404


class TestMeters:
    """Meters are started and described."""

    BODY: dict[str, str] = {
        "code": "output-tokens",
        "name": "Output tokens",
        "definition": "Tokens written.",
        "unit": "token",
        "contract": "llm.tokens",
        "aggregation": "sum",
        "value_property": "output_tokens",
    }

    def test_a_meter_is_started_read_and_described(self, sender: Sender) -> None:
        answer = sender.post("meters", self.BODY)
        assert (answer.status_code, answer.json()["owner"]) == (201, "enza")
        assert sender.patch("meters/output-tokens", {"name": "Tokens out"}).json()["name"] == "Tokens out"
        assert sender.get("meters/output-tokens").json()["value_property"] == "output_tokens"
        assert [meter["code"] for meter in sender.get("meters").json()["results"]] == ["output-tokens", "input-tokens"]

    def test_what_it_measures_cannot_be_changed(self, sender: Sender) -> None:
        refused = sender.patch("meters/input-tokens", {"aggregation": "max", "code": "x", "unit": "z", "name": "x"})
        assert refused.status_code == 422
        meter, version = Meter.objects.get(), MeterVersion.objects.get()
        assert (meter.code, meter.name, meter.unit) == ("input-tokens", "input-tokens", "token")
        assert (version.aggregation, version.value_property) == ("sum", "input_tokens")

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"code": "a b"}, "/code"),
            ({"code": "input-tokens"}, "/code"),
            ({"contract": "none"}, "/contract"),
            ({"aggregation": "median"}, "/aggregation"),
            ({"value_property": "model"}, "/value_property"),
            ({"name": ""}, "/name"),
        ],
    )
    def test_a_field_that_cannot_be_used_is_named(self, sender: Sender, changes: dict[str, str], pointer: str) -> None:
        answer = sender.post("meters", self.BODY | changes)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    def test_engineers_and_product_keep_meters(self, sender: Sender) -> None:
        assert Sender(usage.api_key("paul", "product")).post("meters", self.BODY).status_code == 201
        assert Sender(usage.api_key("fina", "finance")).post("meters", self.BODY).status_code == 403
        assert sender.get("meters/none").status_code == 404


class TestHealth:
    """Counts, rates and lag, as a whole and by source and type."""

    def test_counts_and_rates_add_up(self, sender: Sender) -> None:
        now = timezone.now()
        times = [(now - timedelta(seconds=seconds)).isoformat() for seconds in (10, 20, 30, 1000)]
        sender.send([usage.event(str(number), time=moment) for number, moment in enumerate(times)])
        sender.send(
            [
                usage.event("0", time=times[0]),
                usage.event("b", subject="nobody"),
                usage.event("c", source="other", type="x"),
            ]
        )
        shown = sender.get("metering/health").json()
        assert {name: shown[name] for name in ("received", "accepted", "duplicates", "quarantined")} == {
            "received": 7,
            "accepted": 4,
            "duplicates": 1,
            "quarantined": 2,
        }
        assert (shown["acceptance_rate"], shown["duplicate_suppression_rate"]) == ("0.714286", "0.142857")
        lag = {name: float(value) for name, value in shown["lag_seconds"].items()}
        assert 20 <= lag["p50"] < 30
        assert 1000 <= lag["p95"] == lag["max"] < 1010
        first, second = shown["sources"]
        assert (first["source"], first["type"], first["received"], first["duplicates"]) == (
            "api/eu",
            "llm.tokens",
            6,
            1,
        )
        assert (second["source"], second["acceptance_rate"], second["lag_seconds"]["p50"]) == ("other", "0", None)

    def test_nothing_received_has_no_rates(self, sender: Sender) -> None:
        shown = sender.get("metering/health", start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z").json()
        assert (shown["received"], shown["acceptance_rate"], shown["lag_seconds"]["max"], shown["sources"]) == (
            0,
            None,
            None,
            [],
        )

    def test_a_release_is_not_received_twice(self, sender: Sender) -> None:
        sender.send(usage.event("a", subject="newco"))
        usage.customer("newco")
        sender.post(f"quarantine/{QuarantinedEvent.objects.get().pk}/release")
        assert CaptureBatch.objects.count() == 2
        assert sender.get("metering/health").json()["received"] == 1

    @pytest.mark.parametrize(
        "query",
        [
            {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            {"start": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
            {"start": "x"},
            {"end": "0001-01-01T00:00:00Z"},
        ],
    )
    def test_a_stretch_that_cannot_be_measured_is_refused(self, sender: Sender, query: dict[str, str]) -> None:
        assert sender.get("metering/health", **query).status_code == 422

    def test_sources_beyond_count_are_counted_by_type(self, sender: Sender) -> None:
        sender.send([usage.event(str(number), source=f"host-{number}") for number in range(150)])
        (line,) = sender.get("metering/health").json()["sources"]
        assert (line["source"], line["type"], line["accepted"]) == ("", "llm.tokens", 150)
