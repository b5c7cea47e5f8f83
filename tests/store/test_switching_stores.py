"""All raw events move to another store while usage comes in: copied, compared, and only then switched."""

import multiprocessing
import os
import signal
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from compliance.evidence import trace
from core import audit, locks
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from metering import archive, queries, shipping, switching, watermark
from metering.models import AggregationSnapshot, Store, StoreCopy, StoreSwitch, UsageEvent
from metering.store import chosen, partitions
from metering.store.clickhouse import ClickHouseStore
from metering.store.protocol import Span
from tests.builders import billing

NOW = datetime(2026, 12, 5, tzinfo=UTC)


@pytest.fixture
def invoice(store_name: str) -> Invoice:
    """Issued over PostgreSQL; there is another store, and it is empty."""
    if store_name == Store.POSTGRES:
        pytest.skip("there is no other store")
    partitions.forget_months()
    company = billing.open_company()
    return billing.issue(company, [billing.billed_customer(company)])[0]


def switch(name: str = Store.CLICKHOUSE, **options: Any) -> StoreSwitch:
    return switching.switch_store(name=name, at=NOW, **options)


def clear() -> None:
    while shipping.ship_pending(settled_seq=watermark.settle().seq, at=NOW):
        continue


def is_traced(invoice: Invoice) -> bool:
    return trace.trace_line(line_id=invoice.lines.get(meter_code="tokens").pk).is_equal


def test_after_the_switch_everything_is_there_and_traced(invoice: Invoice) -> None:
    made = switch()
    assert (made.store, made.event_count) == ("clickhouse", 2)
    assert chosen.find_name() == "clickhouse"
    assert is_traced(invoice)
    assert AuditEntry.objects.get(action="events.store_switched").facts["digest"] == made.digest


def test_what_was_copied_leaves_postgresql_afterwards(invoice: Invoice) -> None:
    switch()
    assert UsageEvent.objects.count() == 2
    clear()
    assert UsageEvent.objects.count() == 0
    assert is_traced(invoice)


def test_a_watermark_after_the_switch_is_not_below_one_before(invoice: Invoice) -> None:
    before = watermark.fix_watermark(at=NOW).seq
    switch()
    assert watermark.fix_watermark(at=NOW).seq == before


def test_a_copy_that_was_killed_goes_on_after_its_last_block(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    billing.use("acme", *((f"n{number}", billing.day(20), 1) for number in range(10)))
    monkeypatch.setattr(switching, "BLOCK_EVENTS", 4)
    seen: list[int] = []

    def die_after_two(done: int, _total: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        switch(progress=die_after_two)
    assert chosen.find_name() == "postgres"
    assert StoreCopy.objects.get().copied_seq == seen[-1]
    switch(progress=lambda done, _total: seen.append(done))
    assert seen == sorted(set(seen))
    assert chosen.store_of(Store.CLICKHOUSE).count(Span()).event_count == 12


def test_usage_that_comes_during_the_copy_is_in_it(invoice: Invoice) -> None:
    came: list[int] = []

    def use_more(done: int, _total: int) -> None:
        if not came:
            came.append(done)
            billing.use("acme", ("meanwhile", billing.day(21), 7))

    assert switch(progress=use_more).event_count == 3
    clear()
    meter = AggregationSnapshot.objects.filter(event_count__gt=0)[0].meter
    (shown,) = queries.live_usage(
        customer_id=invoice.customer_id, meter=meter, start=billing.OCTOBER, end=billing.NOVEMBER
    ).rows
    assert (shown.quantity, shown.event_count) == (1507, 3)


def die(*_call: Any, **_named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def switch_and_die(where: tuple[Any, str], *, after: int) -> None:
    """Killed when it comes to that function once more after so many calls."""
    step, calls = getattr(*where), [0]

    def count(*call: Any, **named: Any) -> Any:
        calls[0] += 1
        return die() if calls[0] > after else step(*call, **named)

    setattr(*where, count)
    switching.BLOCK_EVENTS = 4
    switch()


@pytest.mark.parametrize(
    ("where", "after"),
    [
        ((ClickHouseStore, "prepare"), 0),
        ((ClickHouseStore, "insert"), 0),
        ((StoreCopy, "save"), 1),
        ((ClickHouseStore, "insert"), 2),
        ((switching, "_compare"), 0),
        ((locks, "lock_exclusive"), 5),
        ((switching, "_compare"), 1),
        ((audit, "append_entry"), 0),
    ],
    ids=[
        "nothing done",
        "begun",
        "a block sent and not noted",
        "half of it copied",
        "copied",
        "compared",
        "nobody captures",
        "all but committed",
    ],
)
def test_who_is_killed_at_any_step_has_switched_nothing_and_goes_on(
    invoice: Invoice, where: tuple[Any, str], after: int, settings: Any
) -> None:
    if settings.CLICKHOUSE_URL.startswith("chdb:"):
        pytest.skip("an engine in this process does not survive its death")
    billing.use("acme", *((f"n{number}", billing.day(20), 1) for number in range(10)))
    connections.close_all()  # a connection must never be shared across a fork
    dying = multiprocessing.get_context("fork").Process(target=partial(switch_and_die, where, after=after))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert (chosen.find_name(), is_traced(invoice)) == ("postgres", True)
    assert switch().event_count == 12
    assert chosen.store_of(Store.CLICKHOUSE).count(Span()).event_count == 12
    clear()
    assert (UsageEvent.objects.count(), is_traced(invoice)) == (0, True)


def test_usage_that_comes_while_stores_are_compared_is_copied_before_capture_pauses(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one event is left for the pause; two come during each of the first two comparisons."""
    monkeypatch.setattr(switching, "TAIL_EVENTS_MAX", 1)
    read, spans = ClickHouseStore.read, []

    def read_slowly(self: ClickHouseStore, span: Span) -> Any:
        spans.append((span.first_seq, span.last_seq))
        if len(spans) <= 2:
            billing.use("acme", *((f"{len(spans)}-{number}", billing.day(20), 1) for number in range(2)))
        return read(self, span)

    monkeypatch.setattr(ClickHouseStore, "read", read_slowly)
    first = UsageEvent.objects.earliest("seq").seq
    assert switch().event_count == 6
    assert [last - max(start, first) + 1 for start, last in spans] == [2, 2, 2, 0, 0]


def test_what_another_time_left_there_is_in_the_way_until_it_is_cleared(
    invoice: Invoice, tmp_path: Path, settings: Any
) -> None:
    """There and back; a month is put into a file, and the copy of old still has its events."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    switch()
    switch(Store.POSTGRES)
    archive.detach_month(month=billing.OCTOBER.date(), at=NOW)
    billing.use("acme", ("new", billing.day(20).replace(month=11), 7), at=NOW)
    with pytest.raises(switching.SwitchRefusedError, match="switch again with --clear"):
        switch()
    assert not StoreCopy.objects.exists()
    made = switch(clears_target=True)
    assert (made.event_count, chosen.store_of(Store.CLICKHOUSE).count(Span()).event_count) == (1, 1)
    assert is_traced(invoice)


def test_a_month_that_comes_back_from_a_file_is_shipped_between_what_was_shipped_before(
    invoice: Invoice, tmp_path: Path, settings: Any
) -> None:
    """Numbers 1, 2 and 4 are October's and come back; 3 is November's and was copied with the switch."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    billing.use("acme", ("n", billing.day(20).replace(month=11), 7), at=NOW)
    billing.use("acme", ("o", billing.day(20), 7), at=NOW)
    billing.close_november()
    archive.detach_month(month=billing.OCTOBER.date(), at=NOW)
    switch()
    archive.attach_month(month=billing.OCTOBER.date(), at=NOW)
    clear()
    assert UsageEvent.objects.count() == 0
    assert chosen.store_of(Store.CLICKHOUSE).count(Span()).event_count == 4
    assert is_traced(invoice)
    switch(Store.POSTGRES)
    assert UsageEvent.objects.count() == 4


def test_stores_that_differ_are_not_switched(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    store = chosen.store_of(Store.CLICKHOUSE)
    insert = type(store).insert

    def lose_a_digit(self: Any, rows: Any, *, token: str) -> None:
        insert(self, [(*row[:6], row[6].replace("1000", "100"), *row[7:]) for row in rows], token=token)

    monkeypatch.setattr(type(store), "insert", lose_a_digit)
    with pytest.raises(switching.StoresDifferError, match="Nothing was switched"):
        switch()
    assert chosen.find_name() == "postgres"
    assert is_traced(invoice)


def test_nothing_is_shipped_while_a_copy_runs(invoice: Invoice) -> None:
    switch()
    StoreCopy.objects.create(store="postgres", started_at=NOW)
    assert shipping.ship_pending(settled_seq=watermark.find_last_seq(), at=NOW) == 0


def test_there_and_back_again_nothing_has_changed(invoice: Invoice) -> None:
    before = list(UsageEvent.objects.order_by("seq").values())
    switch()
    billing.use("acme", ("shipped", billing.day(20), 7))
    clear()
    billing.use("acme", ("waiting", billing.day(21), 8))
    switch(Store.POSTGRES)
    after = list(UsageEvent.objects.order_by("seq").values())
    assert after[:2] == before
    assert [row["event_id"] for row in after] == ["e1", "e2", "shipped", "waiting"]
    assert is_traced(invoice)
    assert watermark.fix_watermark(at=NOW).seq == after[-1]["seq"]


def test_a_second_copy_into_another_store_waits(invoice: Invoice) -> None:
    StoreCopy.objects.create(store="postgres", started_at=NOW)
    with pytest.raises(switching.SwitchRefusedError, match="A copy into postgres has begun"):
        switch()
    assert switching.cancel_copy()
    assert switch().store == "clickhouse"


def test_a_switch_to_where_events_live_is_refused(invoice: Invoice) -> None:
    with pytest.raises(switching.SwitchRefusedError, match="live in postgres already"):
        switch(Store.POSTGRES)


def test_the_commands_switch_ship_and_say_where_things_are(
    invoice: Invoice, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("event_store", "switch", "clickhouse")
    assert "2 events compared" in capsys.readouterr().out
    billing.use("acme", ("new", billing.day(20), 7))
    call_command("event_store", "status")
    assert "raw events live in ClickHouse" in capsys.readouterr().out
    call_command("event_store", "ship")
    assert "3 events shipped" in capsys.readouterr().out
    with pytest.raises(CommandError, match="live in clickhouse already"):
        call_command("event_store", "switch", "clickhouse")
