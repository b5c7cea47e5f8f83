"""Whoever ships beside others leaves nothing out of a count, and takes nothing away from where it is counted."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event
from types import ModuleType
from typing import Any, TypeVar

import pytest
from django.db import connection, connections

from metering import shipping, switching, watermark
from metering.models import Shipment, Store, StoreCopy, UsageEvent
from metering.store import chosen, partitions
from metering.store.clickhouse import ClickHouseStore
from metering.store.postgres_rows import PostgresStore
from metering.store.protocol import Span
from tests.builders import billing, working

NOW = billing.NEXT_CLOSING
SECONDS_MAX = 60
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def customer(store_name: str) -> None:
    """Its events a and b wait here for ClickHouse, where events live from the beginning."""
    if store_name == Store.POSTGRES:
        pytest.skip("nothing is shipped")
    partitions.forget_months()
    switching.switch_store(name=store_name, at=billing.LONG_AGO)
    billing.open_company()
    billing.make_customer("acme")
    billing.use("acme", ("a", billing.day(3), 1), ("b", billing.day(4), 2))


def ship() -> int:
    return shipping.ship_pending(settled_seq=watermark.find_last_seq(), at=NOW)


def switch_back() -> None:
    switching.switch_store(name=Store.POSTGRES, at=NOW)


def step_of(module: ModuleType, name: str) -> Any:
    """A step within, to go before or after it."""
    return getattr(module, name)


def events_here() -> list[str]:
    return list(UsageEvent.objects.order_by("seq").values_list("event_id", flat=True))


def beside(work: Callable[[], Result], pool: ThreadPoolExecutor) -> Future[Result]:
    """Begin it in a thread with a connection of its own."""

    def run() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(run)


def somebody_waits() -> bool:
    """Whether anybody waits for a lock that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchall()[0][0])


def test_a_close_that_waits_for_a_shipment_of_somebody_else_ships_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of one event is on its way by the worker while a close fixes its watermark over both."""
    monkeypatch.setattr(shipping, "BLOCK_EVENTS", 1)
    insert, closes = ClickHouseStore.insert, list[Future[int]]()

    def insert_while_a_close_waits(store: ClickHouseStore, rows: Any, *, token: str) -> None:
        if not closes:
            closes.append(beside(lambda: watermark.fix_watermark(at=NOW).seq, pool))
            working.wait_for(somebody_waits, seconds=SECONDS_MAX)
        insert(store, rows, token=token)

    monkeypatch.setattr(ClickHouseStore, "insert", insert_while_a_close_waits)
    with ThreadPoolExecutor(1) as pool:
        assert ship() == 1
        assert closes[0].result(SECONDS_MAX) == watermark.find_last_seq()
    assert events_here() == []
    assert Shipment.objects.count() == 2


def test_two_who_begin_at_once_ship_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has seen the block of the first and comes to it when it has gone."""
    monkeypatch.setattr(shipping, "BLOCK_EVENTS", 1)
    step, others = step_of(shipping, "_ship"), list[int]()

    def ship_after_another(shipment_id: int, *, at: datetime) -> int:
        if not others:
            others.append(step(shipment_id, at=at))
        count: int = step(shipment_id, at=at)
        return count

    monkeypatch.setattr(shipping, "_ship", ship_after_another)
    assert (ship(), others) == (1, [1])
    assert events_here() == []


def test_who_was_about_to_note_a_block_takes_nothing_away_after_a_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    note, switched = step_of(shipping, "_note_next"), list[bool]()

    def note_after_a_switch(settled_seq: int, *, at: datetime) -> Any:
        if not switched:
            switched.append(True)
            switch_back()
        return note(settled_seq, at=at)

    monkeypatch.setattr(shipping, "_note_next", note_after_a_switch)
    assert ship() == 0
    assert events_here() == ["a", "b"]


def test_who_was_about_to_send_a_block_leaves_it_to_a_copy_that_began(monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_of(shipping, "_ship")

    def ship_beside_a_copy(shipment_id: int, *, at: datetime) -> Any:
        StoreCopy.objects.create(store=Store.POSTGRES, started_at=NOW)
        return step(shipment_id, at=at)

    monkeypatch.setattr(shipping, "_ship", ship_beside_a_copy)
    assert ship() == 0
    assert events_here() == ["a", "b"]
    assert Shipment.objects.get().shipped_at is None
    switch_back()
    assert events_here() == ["a", "b"]


def test_a_copy_waits_for_a_shipment_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """It came after the switch had shipped what there was, and was sent before anything was copied."""
    prepare, remove = PostgresStore.prepare, step_of(shipping, "_remove")
    compare = step_of(switching, "_copy_and_compare")
    is_sent, is_compared, shipments = Event(), Event(), list[Future[int]]()

    def remove_late(rows: Any) -> None:
        if shipments:
            is_sent.set()
            working.wait_for(lambda: is_compared.is_set() or somebody_waits(), seconds=SECONDS_MAX)
        remove(rows)

    def prepare_beside_a_shipment(store: PostgresStore) -> None:
        prepare(store)
        billing.use("acme", ("c", billing.day(5), 3))
        shipments.append(beside(ship, pool))
        assert is_sent.wait(SECONDS_MAX)

    def compare_before_it_ends(*given: Any, **named: Any) -> Any:
        compared = compare(*given, **named)
        is_compared.set()
        shipments[0].result(SECONDS_MAX)
        return compared

    monkeypatch.setattr(shipping, "_remove", remove_late)
    monkeypatch.setattr(PostgresStore, "prepare", prepare_beside_a_shipment)
    monkeypatch.setattr(switching, "_copy_and_compare", compare_before_it_ends)
    with ThreadPoolExecutor(1) as pool:
        switch_back()
    assert chosen.find_name() == Store.POSTGRES
    assert events_here() == ["a", "b", "c"]
    assert chosen.store_of(Store.CLICKHOUSE).count(Span()).event_count == 3
