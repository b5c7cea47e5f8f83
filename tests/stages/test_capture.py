"""Capture: accepted, known already, or held back; counted once for ever."""

import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from metering.models import CaptureBatch, EventKey, QuarantinedEvent, UsageEvent
from metering.rules import exact_json, fingerprint, instants, reading
from metering.store import postgres
from tests.builders import guards, usage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def test_a_good_event_is_accepted_with_its_own_time() -> None:
    result = usage.capture(usage.event("a", time="2026-03-02T12:30:00.5+01:00"))
    assert (result.received, result.accepted, result.items) == (1, 1, ())
    row = UsageEvent.objects.get()
    assert (row.source, row.event_id, row.customer.code) == ("api/eu", "a", "acme")
    assert row.occurred_at.isoformat() == "2026-03-02T11:30:00.500000+00:00"
    assert row.data == {"input_tokens": 3, "output_tokens": 5}
    assert row.extras is None


def test_fractions_are_stored_exactly() -> None:
    usage.capture(usage.event(data={"input_tokens": Decimal("0.10"), "output_tokens": "1.5"}))
    assert str(UsageEvent.objects.get().data["input_tokens"]) == "0.10"


def test_the_batch_says_what_became_of_it() -> None:
    usage.capture(usage.event("a"))
    usage.capture(usage.event("a"), usage.event("b"), usage.event("c", subject="nobody"), usage.event("b"))
    batch = CaptureBatch.objects.latest("id")
    assert (batch.received, batch.accepted, batch.duplicates, batch.quarantined) == (4, 1, 2, 1)
    assert batch.tallies == [
        {"source": "api/eu", "type": "llm.tokens", "accepted": 1, "duplicates": 2, "quarantined": 1}
    ]
    assert UsageEvent.objects.get(event_id="b").seq == batch.first_seq == batch.last_seq


def test_a_retry_is_a_duplicate_whatever_the_order_of_its_names() -> None:
    usage.capture(usage.event("a"))
    again = dict(reversed(usage.event("a", data={"output_tokens": 5, "input_tokens": 3}).items()))
    result = usage.capture(again)
    assert [(item.index, item.id, item.status) for item in result.items] == [(0, "a", "duplicate")]
    assert UsageEvent.objects.count() == EventKey.objects.count() == 1


def test_the_same_identity_with_another_body_is_a_conflict() -> None:
    usage.capture(usage.event("a"))
    result = usage.capture(usage.event("a", data={"input_tokens": 4, "output_tokens": 5}))
    assert [reason.code for reason in result.items[0].reasons] == ["conflict"]
    assert UsageEvent.objects.get().data["input_tokens"] == 3
    assert QuarantinedEvent.objects.get().event_id == "a"


def recomputed(event: UsageEvent) -> bytes:
    """The fingerprint of a stored row, from its columns alone."""
    names = (event.source, event.event_id, event.contract.event_type, event.customer.code)
    time = instants.instant_text(event.occurred_at)
    return fingerprint.fingerprint_event(*names, time, data=exact_json.write(event.data), extras=event.extras or {})


TRICKY = [
    '{"input_tokens": 1e3, "output_tokens": -0.0}',
    '{"input_tokens": 1.50, "output_tokens": -0}',
    '{"output_tokens": 12345678901234567890, "input_tokens": 1.5E-9}',
    '{"output_tokens": "1.50", "input_tokens": 0, "z": {"b": [1, 2.0, null], "a": {"": ""}}}',
    '{"input_tokens": 0, "output_tokens": 1, "é": "\\u00e9", "\\ud83d\\ude00": "\\"\\\\\\u001f\\u2028{}"}',
    '{"input_tokens": 0, "output_tokens": 1, "NULL": "NULL", "null": null, "t": true, "s": "{a,b}"}',
]


@pytest.mark.parametrize("data", TRICKY)
@pytest.mark.parametrize(
    "time", ["2026-03-02T11:00:00Z", "2026-03-02T11:00:00.1234567Z", "2026-03-02T11:00:00.120+05:30"]
)
def test_the_fingerprint_can_be_computed_again_from_the_stored_row(data: str, time: str) -> None:
    usage.contract(schema={"properties": {"input_tokens": {}, "output_tokens": {}}})
    event = usage.event('id \\with "quotes" {and} ,commas', time=time, region='a,b"{}\\', count=5, flag=True)
    head = json.dumps({name: value for name, value in event.items() if name != "data"})
    body = f'{head[:-1]}, "data": {data}}}'.encode()
    assert usage.capture(*reading.read_document(body)).accepted == 1
    row = UsageEvent.objects.select_related("contract", "customer").get()
    assert recomputed(row) == bytes(row.fingerprint)
    assert row.data == json.loads(data, parse_float=Decimal)
    assert usage.capture(*reading.read_document(body)).duplicates == 1


def test_accepted_events_cannot_be_changed_or_removed() -> None:
    usage.capture(usage.event())
    for table in (UsageEvent, EventKey, CaptureBatch):
        assert guards.keeps_its_rows(table)
    assert guards.refuses("UPDATE metering_usageevent SET data = '{}'")
    assert guards.refuses("UPDATE metering_eventkey SET event_id = 'x'")
    assert guards.refuses("UPDATE metering_capturebatch SET accepted = 0, duplicates = 1")


def test_a_batch_that_does_not_add_up_is_refused_by_the_database() -> None:
    assert guards.refuses(
        "INSERT INTO metering_capturebatch (channel, origin, received_at, received, accepted, duplicates, quarantined,"
        " tallies) VALUES ('http', 'x', now(), 3, 1, 1, 0, '[]')"
    )


def test_repeats_inside_a_delivery_are_judged_by_what_is_stored() -> None:
    mine, other = usage.event("a"), usage.event("a", data={"input_tokens": 4, "output_tokens": 5})
    result = usage.capture(mine, other, mine)
    assert [(item.index, item.status) for item in result.items] == [(1, "quarantined"), (2, "duplicate")]
    again = usage.capture(other, mine)
    assert [(item.index, item.status) for item in again.items] == [(0, "quarantined"), (1, "duplicate")]


def test_a_captured_event_is_received_at_the_time_of_the_database() -> None:
    before = postgres.read_clock()
    usage.capture(usage.event())
    batch = CaptureBatch.objects.get()
    assert before <= batch.received_at <= postgres.read_clock()
    assert UsageEvent.objects.get().received_at == batch.received_at


def test_the_number_of_statements_does_not_grow_with_the_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [usage.event(str(number)) for number in range(500)]
    usage.capture(usage.event("warm"))  # compiles the schema
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statements.append(str(query))
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    usage.capture(events[0])
    # The rules, then all that is written; around that the savepoint which this test's own transaction needs.
    assert len([statement for statement in statements if "SAVEPOINT" not in statement]) == 2
    usage.capture(*events[1:])
    assert len([statement for statement in statements if "SAVEPOINT" not in statement]) == 4


def test_a_delivery_with_a_known_event_is_written_the_long_way_and_none_twice() -> None:
    usage.capture(usage.event("b"))
    for _attempt in range(2):  # the second knows by then that this sender repeats itself
        result = usage.capture(usage.event("a"), usage.event("b"), usage.event("c"))
        assert result.received == 3
    assert (result.accepted, result.duplicates) == (0, 3)
    counts = list(CaptureBatch.objects.order_by("id").values_list("accepted", "duplicates", "first_seq"))
    assert [count[:2] for count in counts] == [(1, 0), (2, 1), (0, 3)]
    assert counts[2][2] is None
    assert UsageEvent.objects.count() == EventKey.objects.count() == 3


@pytest.mark.parametrize(
    "text", ['"', "\\", '\\"', "{,}", "NULL", "null", "'; --", "\t", "é", "\U0001f600", " ", "\x7f"]
)
def test_hostile_texts_arrive_as_they_are(text: str) -> None:
    printable = text.isascii() and text.isprintable() and text.strip() == text
    event_id = f"id{text}id" if printable else "id"
    data = {"input_tokens": 3, "output_tokens": 5, "note": text, f"name{text}": [text, {text: None}]}
    assert usage.capture(usage.event(event_id, data=data, extra=f"x{text}x")).accepted == 1
    row = UsageEvent.objects.get()
    assert (row.event_id, row.data, row.extras) == (event_id, data, {"extra": f"x{text}x"})
