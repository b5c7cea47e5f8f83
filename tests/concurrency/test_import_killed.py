"""An import that is killed, or run by several at once, still counts every row once."""

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connections

from metering import import_chunks, import_storing, importing
from metering.import_forms import ImportRequest
from metering.models import ImportRun, UsageEvent
from metering.rules import import_rows
from tests.builders import racing, usage

ROWS = 60
LARGE = importing.BESIDE_BYTES_MIN
NOW = datetime(2026, 4, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    usage.house()
    monkeypatch.setattr(import_chunks, "ROWS_MAX", 5)


def request(folder: Path, *, form: str = "csv") -> ImportRequest:
    path = folder / f"use.{form}"
    times = [f"2026-03-01 10:00:{number:02}" for number in range(ROWS)]
    if form == "csv":
        path.write_text("When,In\n" + "".join(f"{time},1\n" for time in times))
    elif form == "ndjson":
        path.write_text("".join(json.dumps({"When": time, "In": 1}) + "\n" for time in times))
    else:
        pq.write_table(pa.table({"When": times, "In": [1] * ROWS}), path, row_group_size=7)
    columns = import_rows.read_column_map(["time=When", "data.input_tokens=In", "data.output_tokens=In"])
    return ImportRequest(path=path, form=form, customer_code="acme", event_type=usage.EVENT_TYPE, columns=columns)


def load_and_die(wanted: ImportRequest, *, after_chunks: int) -> None:
    """Import in a process of its own, which is killed after so many chunks."""
    chunks = []

    def die(done: int, total: int) -> None:
        chunks.append(done)
        if len(chunks) == after_chunks:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        importing.import_file(request=wanted, at=NOW, progress=die)

    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("form", "beside_from"),
    [("csv", LARGE), ("ndjson", LARGE), ("parquet", LARGE), ("csv", 0), ("ndjson", 0), ("parquet", 0)],
)
def test_killed_again_and_again_it_goes_on_where_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, beside_from: int
) -> None:
    """In one process, and in several that write ahead of what has committed."""
    monkeypatch.setattr(importing, "BESIDE_BYTES_MIN", beside_from)
    wanted = request(tmp_path, form=form)
    for after_chunks in (1, 3, 2):
        load_and_die(wanted, after_chunks=after_chunks)
    assert UsageEvent.objects.count() == 30
    run = importing.import_file(request=wanted, at=NOW).run
    assert (run.accepted, run.duplicates, run.quarantined) == (ROWS, 0, 0)
    assert ImportRun.objects.count() == 1
    assert UsageEvent.objects.count() == ROWS


@pytest.mark.parametrize("beside_from", [LARGE, 0])
def test_several_imports_of_one_file_at_once_count_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside_from: int
) -> None:
    monkeypatch.setattr(importing, "BESIDE_BYTES_MIN", beside_from)
    wanted = request(tmp_path)

    def work() -> None:
        try:
            importing.import_file(request=wanted, at=NOW)
        except import_storing.ImportRunningError:
            return

    racing.run_together(work, work, work, work)
    importing.import_file(request=wanted, at=NOW)
    assert UsageEvent.objects.count() == ROWS
