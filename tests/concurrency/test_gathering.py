"""Small deliveries that come together: one commit for all of them, and each answered as if it had come alone."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from metering import gathering, ingest
from metering.ingest import CaptureResult, Parcel
from metering.models import CaptureBatch, EventKey, QuarantinedEvent, UsageEvent
from metering.store.postgres import WrittenOut
from tests.builders import usage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def house() -> None:
    usage.customer()
    usage.contract(past_days=36_525)
    usage.meter()


def send(events: Sequence[dict[str, Any]], origin: str = "test") -> CaptureResult:
    try:
        return gathering.capture_gathered(events, channel="http", origin=origin)
    finally:
        connections.close_all()


def send_together(
    deliveries: Sequence[Sequence[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> tuple[CaptureResult, list[CaptureResult]]:
    """One delivery leads; the others come while it writes, so they gather. Gives its result and theirs in order."""
    leading, gathered = threading.Event(), threading.Event()
    capture = ingest.capture_parcels

    def wait_and_capture(parcels: Sequence[Parcel]) -> list[CaptureResult | None]:
        if not leading.is_set():
            leading.set()
            assert gathered.wait(60)
        return capture(parcels)

    monkeypatch.setattr(ingest, "capture_parcels", wait_and_capture)
    with ThreadPoolExecutor(len(deliveries) + 1) as pool:
        leader = pool.submit(send, [usage.event("leader")], "leader")
        assert leading.wait(60)
        others = []
        for number, events in enumerate(deliveries, start=1):
            others.append(pool.submit(send, events, f"sender {number}"))
            wait_until_queued(number)
        gathered.set()
        return leader.result(60), [other.result(60) for other in others]


def wait_until_queued(deliveries: int) -> None:
    tick = threading.Event()
    for _attempt in range(6000):
        if len(gathering._queue) == deliveries:  # noqa: SLF001  nobody else can tell
            return
        tick.wait(0.01)
    raise AssertionError("they never gathered")


def test_what_comes_while_one_writes_shares_the_next_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    deliveries = [[usage.event(f"{number}a"), usage.event(f"{number}b")] for number in range(5)]
    leader, others = send_together(deliveries, monkeypatch)
    assert (leader.accepted, [other.accepted for other in others]) == (1, [2] * 5)
    batches = CaptureBatch.objects.exclude(origin="leader").order_by("origin")
    assert [batch.origin for batch in batches] == [f"sender {number}" for number in range(1, 6)]
    assert {(batch.received, batch.accepted, batch.duplicates) for batch in batches} == {(2, 2, 0)}
    assert len({batch.received_at for batch in batches}) == 1
    for number, batch in enumerate(batches):
        own = UsageEvent.objects.filter(batch=batch).order_by("seq")
        assert [event.event_id for event in own] == [f"{number}a", f"{number}b"]
        assert [batch.first_seq, batch.last_seq] == [event.seq for event in own]
        assert batch.tallies == [
            {"source": "api/eu", "type": "llm.tokens", "accepted": 2, "duplicates": 0, "quarantined": 0}
        ]


def test_an_event_that_two_of_them_bring_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _leader, others = send_together([[usage.event("same"), usage.event(f"own {n}")] for n in range(4)], monkeypatch)
    assert sorted((other.accepted, other.duplicates) for other in others) == [(1, 1), (1, 1), (1, 1), (2, 0)]
    assert UsageEvent.objects.count() == EventKey.objects.count() == 6


def test_a_bad_or_known_event_is_a_matter_of_its_own_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    send([usage.event("known")])
    deliveries = [
        [usage.event("good")],
        [usage.event("bad", subject="nobody")],
        [usage.event("known")],
        [usage.event("known", data={"input_tokens": 4, "output_tokens": 5})],
        [usage.event("fine")],
    ]
    _leader, others = send_together(deliveries, monkeypatch)
    counts = [(other.accepted, other.duplicates, other.quarantined) for other in others]
    assert counts == [(1, 0, 0), (0, 0, 1), (0, 1, 0), (0, 0, 1), (1, 0, 0)]
    assert QuarantinedEvent.objects.count() == 2
    assert UsageEvent.objects.count() == 4  # leader, known, good and fine


def test_where_a_group_cannot_be_written_each_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_deliveries: object) -> bool:
        raise RuntimeError("as a defect would")

    insert = ingest.postgres.insert_deliveries

    def fail_for_groups(written_out: WrittenOut) -> bool:
        deliveries = written_out.parameters[1]
        return fail(deliveries) if deliveries > 1 else insert(written_out)

    monkeypatch.setattr(ingest.postgres, "insert_deliveries", fail_for_groups)
    leader, others = send_together([[usage.event(str(number))] for number in range(3)], monkeypatch)
    assert [leader.accepted, *(other.accepted for other in others)] == [1] * 4
    assert CaptureBatch.objects.count() == UsageEvent.objects.count() == 4


def test_many_senders_at_once_lose_and_double_nothing() -> None:
    def send_all(number: int) -> int:
        accepted = 0
        for event in range(30):
            accepted += send([usage.event(f"{number // 2}-{event}")], origin=f"sender {number}").accepted
        return accepted

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(send_all, range(8)))  # every event comes from two of them
    assert accepted == UsageEvent.objects.count() == EventKey.objects.count() == 120
    assert CaptureBatch.objects.count() == 240
    assert sum(CaptureBatch.objects.values_list("duplicates", flat=True)) == 120
