"""A month goes into its file and comes back while others capture and count: nobody waits, and nothing counts twice."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from core import locks
from metering import aggregate, archive, pausing, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, EventArchive, Meter, UsageEvent
from metering.store import archive_files, late, partitions
from tests.builders import racing, usage

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
LATER = datetime(2026, 9, 1, tzinfo=UTC)
EVENTS = 5000
WAITED = 30  # seconds; who waited for the month would have to wait for ever
FORK = multiprocessing.get_context("fork")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def month(tmp_path: Path, settings: Any) -> Iterator[None]:
    """5,000 events of March, 3 tokens each."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    usage.house()
    usage.capture(*[usage.event(str(number)) for number in range(EVENTS)])
    yield
    partitions.forget_months()


def detach() -> EventArchive:
    return archive.detach_month(month=date(2026, 3, 1), at=LATER)


def attach() -> list[EventArchive]:
    return archive.attach_month(month=date(2026, 3, 1), at=LATER)


def total() -> int:
    (row,) = queries.live_usage(customer_id=usage.customer().pk, meter=Meter.objects.get(), start=MARCH, end=APRIL).rows
    assert row.quantity == 3 * row.event_count
    return row.event_count


def close() -> AggregationSnapshot:
    window = UsageWindow(usage.customer().pk, Meter.objects.get().pk, MARCH, APRIL)
    mark = watermark.fix_watermark(at=LATER)
    with transaction.atomic():
        return aggregate.take_snapshots([window], watermark=mark, at=LATER)[0]


def test_others_capture_and_close_while_a_month_comes_back() -> None:
    detach()
    begun, others_done = FORK.Event(), FORK.Event()
    read_rows = archive_files.read_rows

    def read_slowly(path: Path, **named: Any) -> Iterator[Sequence[Any]]:
        yield from read_rows(path, **named)
        begun.set()
        assert others_done.wait(WAITED), "others waited for the month"

    def bring_back() -> None:
        pytest.MonkeyPatch().setattr(archive_files, "read_rows", read_slowly)
        attach()

    def go_on() -> None:
        assert begun.wait(WAITED)
        usage.capture(usage.event("new"), usage.event("april", time="2026-04-02T11:00:00Z"), at=LATER)
        assert usage.capture(usage.event("undone", corrects="7", correction="cancel"), at=LATER).accepted == 1
        assert total() == EVENTS
        assert close().event_count == EVENTS
        others_done.set()

    racing.run_together(bring_back, go_on)
    snapshot = AggregationSnapshot.objects.get()
    assert EventArchive.objects.get().attached_at == LATER
    assert UsageEvent.objects.count() == EVENTS + 3
    assert (total(), queries.recount([snapshot])[snapshot.pk].digest) == (EVENTS, snapshot.digest)
    assert queries.late_windows() == []


def test_a_month_that_was_coming_back_when_its_process_died_comes_back_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detach()

    def die(*_call: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_mark_attached", die)
        with pytest.raises(KeyboardInterrupt):
            attach()
    assert UsageEvent.objects.count() == 0
    assert total() == EVENTS
    attach()
    assert UsageEvent.objects.count() == total() == EVENTS


def test_of_two_who_bring_a_month_back_one_does() -> None:
    detach()

    def bring_back() -> None:
        with suppress(archive.MonthNotDetachedError):
            attach()

    racing.run_together(bring_back, bring_back)
    assert UsageEvent.objects.count() == total() == EVENTS


@pytest.mark.parametrize(("day", "is_put_away"), [("2026-04-02", True), ("2026-03-02", False)])
def test_others_capture_while_it_is_searched_for_what_is_late_and_an_event_of_the_month_keeps_it(
    day: str, is_put_away: bool
) -> None:
    begun, captured = FORK.Event(), FORK.Event()
    count_late_events, calls = late.count_late_events, count(1)

    def count_slowly(**named: Any) -> list[queries.LateWindow]:
        found = count_late_events(**named)
        if next(calls) == 2:  # the first search is before the file is written
            begun.set()
            assert captured.wait(WAITED), "capture waited"
        return found

    def put_away() -> None:
        pytest.MonkeyPatch().setattr(late, "count_late_events", count_slowly)
        try:
            detach()
        except archive.MonthNotDetachableError as error:
            assert not is_put_away
            assert "came or went while its file was written" in error.message  # noqa: PT017  in a process of its own

    def capture() -> None:
        assert begun.wait(WAITED)
        assert usage.capture(usage.event("new", time=f"{day}T11:00:00Z"), at=LATER).accepted == 1
        captured.set()

    racing.run_together(put_away, capture)
    assert EventArchive.objects.exists() is is_put_away
    assert total() == EVENTS + (not is_put_away)


@pytest.mark.parametrize("act", [detach, attach])
def test_a_capture_that_does_not_end_stops_it_and_it_is_run_again(act: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if act is attach:
        detach()
    monkeypatch.setattr(pausing, "TRIES", 2)
    monkeypatch.setattr(pausing, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(watermark, "find_settled_seq", watermark.find_last_seq)
    begun, ended = FORK.Event(), FORK.Event()

    def capture_for_long() -> None:
        with transaction.atomic():
            locks.lock_shared(locks.LockClass.CAPTURE)
            begun.set()
            assert ended.wait(WAITED)

    def fail() -> None:
        assert begun.wait(WAITED)
        with pytest.raises(pausing.EventsInUseError, match="run this again"):
            act()
        ended.set()

    racing.run_together(capture_for_long, fail)
    assert total() == EVENTS
    act()
    assert total() == EVENTS
