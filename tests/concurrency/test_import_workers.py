"""An import by several processes says, chunk by chunk and in order, what one alone would have said."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from metering import import_chunks, import_storing, import_workers, importing, watermark
from metering.files import UnusableFileError
from metering.import_chunks import Chunk
from metering.import_forms import ImportRequest
from metering.import_storing import Checked, Job
from metering.importing import ImportReport
from metering.models import CaptureBatch, ImportRun, QuarantinedEvent, UsageEvent
from metering.rules import import_rows
from metering.store import partitions
from tests.builders import usage

NOW = datetime(2026, 4, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    usage.house()
    monkeypatch.setattr(import_chunks, "ROWS_MAX", 10)
    monkeypatch.setattr(importing, "BESIDE_BYTES_MIN", 0)
    yield
    partitions.forget_months()


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e-{number:03}",
        "source": "api",
        "type": usage.EVENT_TYPE,
        "subject": "acme",
        "time": f"2026-03-01T10:{number // 60:02}:{number % 60:02}Z",
        "data": {"input_tokens": number, "output_tokens": 1},
    } | changes


def load(folder: Path, events: list[dict[str, Any]], **more: Any) -> ImportReport:
    path = folder / "use.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    request = ImportRequest(path=path, form="ndjson", columns=import_rows.read_column_map([]))
    return importing.import_file(request=request, at=NOW, **more)


def test_what_is_new_is_there_once_and_in_batches_of_a_chunk(tmp_path: Path) -> None:
    run = load(tmp_path, [event(number) for number in range(95)]).run
    assert (run.accepted, run.duplicates, run.quarantined, run.rows_done) == (95, 0, 0, 95)
    assert run.finished_at is not None
    batches = CaptureBatch.objects.order_by("pk")
    assert sorted(batch.accepted for batch in batches) == [5, *[10] * 9]
    assert sorted(UsageEvent.objects.values_list("event_id", flat=True)) == [f"e-{number:03}" for number in range(95)]


def test_bad_rows_and_rows_known_from_other_chunks_are_told_as_ever(tmp_path: Path) -> None:
    events = [event(number) for number in range(60)]
    events[7] = event(7, subject="nobody")
    events[33] = event(33, data={"output_tokens": 1})
    events[25] = event(4)  # known from three chunks before
    events[26] = event(5, data={"input_tokens": 999, "output_tokens": 1})  # and another content under a known identity
    events[39] = event(30)  # known from this very chunk
    report = load(tmp_path, events)
    run = report.run
    assert (run.accepted, run.duplicates, run.quarantined) == (55, 2, 3)
    assert report.reasons == Counter({"customer_unknown": 1, "billing_field_missing": 1, "conflict": 1})
    held = QuarantinedEvent.objects.values_list("event_id", flat=True).order_by("event_id")
    assert list(held) == ["e-005", "e-007", "e-033"]
    again = load(tmp_path, events).run
    assert (again.accepted, again.duplicates, again.quarantined) == (0, 57, 3)
    assert UsageEvent.objects.count() == 55


def test_the_first_of_two_rows_of_one_identity_is_the_accepted_one_wherever_they_lie(tmp_path: Path) -> None:
    """Chunks are written at the same time, and yet the file's order decides."""
    events = [event(number % 40, data={"input_tokens": number, "output_tokens": 1}) for number in range(80)]
    run = load(tmp_path, events).run
    assert (run.accepted, run.duplicates, run.quarantined) == (40, 0, 40)
    data = dict(UsageEvent.objects.values_list("event_id", "data"))
    assert {key: value["input_tokens"] for key, value in data.items()} == {f"e-{n:03}": n for n in range(40)}


def test_a_month_without_a_table_gets_one_and_nothing_lies_in_the_rest(tmp_path: Path) -> None:
    partitions.forget_months()
    moments = {number: f"2026-{1 + number // 15:02}-11T00:00:00Z" for number in range(45)}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS metering_usageevent_202602")
    run = load(tmp_path, [event(number, time=time) for number, time in moments.items()]).run
    assert run.accepted == 45
    assert partitions.find_rest() == []


def test_progress_is_told_after_each_commit_and_before_the_next(tmp_path: Path) -> None:
    told = []

    def tell(done: int, total: int) -> None:
        told.append((UsageEvent.objects.count(), ImportRun.objects.get().rows_done, done == total))

    load(tmp_path, [event(number) for number in range(50)], progress=tell)
    assert told == [(10, 10, False), (20, 20, False), (30, 30, False), (40, 40, False), (50, 50, True)]


def test_a_worker_that_is_killed_ends_the_import_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(number) for number in range(80)]
    parent, check = os.getpid(), import_storing.check

    def die_at_the_fifth(chunk: Chunk, *, job: Job, after_line: int) -> Checked:
        if os.getpid() != parent and after_line >= 40:
            os.kill(os.getpid(), signal.SIGKILL)
        return check(chunk, job=job, after_line=after_line)

    with monkeypatch.context() as patch:
        patch.setattr(import_storing, "check", die_at_the_fifth)
        with pytest.raises(import_workers.ImportStoppedError, match="run it again to go on"):
            load(tmp_path, events)
    stopped = ImportRun.objects.get()
    assert stopped.finished_at is None
    assert UsageEvent.objects.count() == stopped.rows_done <= 40
    run = load(tmp_path, events).run
    assert (run.pk, run.accepted, run.duplicates) == (stopped.pk, 80, 0)


def test_an_import_that_is_stopped_ends_its_workers_and_what_they_had_open(tmp_path: Path) -> None:
    told = []

    def stop(done: int, total: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    events = [event(number) for number in range(80)]
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, events, progress=stop)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert UsageEvent.objects.count() == ImportRun.objects.get().rows_done == 20
    assert load(tmp_path, events).run.accepted == 80


def test_a_file_that_breaks_off_does_so_after_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "use.ndjson"
    good = "".join(json.dumps(event(number)) + "\n" for number in range(35))
    path.write_text(good + '{"id":"' + "x" * 2_000_000 + '"}\n')
    request = ImportRequest(path=path, form="ndjson", columns=import_rows.read_column_map([]))
    with pytest.raises(UnusableFileError, match="line 36 is longer than 1024 KiB"):
        importing.import_file(request=request, at=NOW)
    assert UsageEvent.objects.count() == ImportRun.objects.get().rows_done == 35


def test_what_goes_wrong_in_a_worker_is_said_and_leaves_whole_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: Any, **named: Any) -> Any:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(import_storing, "check", fail)
    with pytest.raises(import_workers.ImportStoppedError, match="after line 0: the disk is full"):
        load(tmp_path, [event(number) for number in range(30)])
    assert not UsageEvent.objects.exists()


def test_watermarks_are_fixed_meanwhile_and_nothing_appears_below_them(tmp_path: Path) -> None:
    marks: list[tuple[int, int]] = []
    done = threading.Event()

    def fix() -> None:
        while not done.is_set():
            seq = watermark.fix_watermark(at=NOW).seq
            marks.append((seq, UsageEvent.objects.filter(seq__lte=seq).count()))
        connections.close_all()

    beside = threading.Thread(target=fix)
    beside.start()
    try:
        run = load(tmp_path, [event(number) for number in range(300)]).run
    finally:
        done.set()
        beside.join(60)
    assert run.accepted == 300
    assert marks
    assert [UsageEvent.objects.filter(seq__lte=seq).count() for seq, _count in marks] == [
        count for _seq, count in marks
    ]
