"""Imports: every row checked as over HTTP, counted once, whatever stops or repeats them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInputError
from metering import import_chunks, import_storing, importing, ingest
from metering.import_forms import ImportRequest
from metering.models import CaptureBatch, ImportRun, QuarantinedEvent, UsageEvent
from metering.rules import import_rows, reading
from tests.builders import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 1, tzinfo=UTC)
MAP = ["time=When", "data.input_tokens=In", "data.output_tokens=Out"]
HEADER = "When,In,Out,Note\n"


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def write(folder: Path, text: str | bytes, *, name: str = "use.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def request(path: Path, *pairs: str, **changes: Any) -> ImportRequest:
    """What the command makes of its options; a CSV file of acme's tokens unless said otherwise."""
    given: dict[str, Any] = {"form": "csv", "customer_code": "acme", "event_type": usage.EVENT_TYPE}
    return ImportRequest(path=path, columns=import_rows.read_column_map(pairs or MAP), **given | changes)


def load(path: Path, *pairs: str, **changes: Any) -> tuple[int, int, int]:
    run = importing.import_file(request=request(path, *pairs, **changes), at=NOW).run
    return run.accepted, run.duplicates, run.quarantined


def rows(*lines: str) -> str:
    return HEADER + "".join(f"{line}\n" for line in lines)


def day(number: int, values: str = "1,2,") -> str:
    return f"2026-03-{number:02} 10:00:00,{values}"


def test_rows_become_events_with_exact_values(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1, "0.10,7,x"), day(2, '3,"8",')))
    assert load(path) == (2, 0, 0)
    first, second = UsageEvent.objects.order_by("seq")
    assert (first.source, first.event_id, first.customer.code) == ("import", "use.csv:2", "acme")
    assert first.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert str(first.data["input_tokens"]) == "0.10"
    assert second.data == {"input_tokens": 3, "output_tokens": 8}
    assert CaptureBatch.objects.get().channel == "import"
    assert CaptureBatch.objects.get().origin == "use.csv"


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1), day(2)))
    assert load(path) == (2, 0, 0)
    assert load(path) == (0, 2, 0)
    assert UsageEvent.objects.count() == 2
    assert not QuarantinedEvent.objects.exists()


def test_a_file_that_grew_adds_its_new_rows(tmp_path: Path) -> None:
    load(write(tmp_path, rows(day(1))))
    assert load(write(tmp_path, rows(day(1), day(2)))) == (1, 1, 0)


def test_a_changed_row_is_held_back_as_a_conflict(tmp_path: Path) -> None:
    load(write(tmp_path, rows(day(1))))
    assert load(write(tmp_path, rows(day(1, "1,3,")))) == (0, 0, 1)
    assert QuarantinedEvent.objects.get().reasons[0]["code"] == "conflict"


def test_two_files_of_one_name_are_told_apart_by_source(tmp_path: Path) -> None:
    load(write(tmp_path, rows(day(1))))
    assert load(write(tmp_path, rows(day(9))), source="april") == (1, 0, 0)


def test_a_mapped_id_is_the_event_s_own(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1, "1,2,key-1"), day(2, "1,2,key-1"), day(3, "1,2,")))
    assert load(path, *MAP, "id=Note") == (1, 0, 2)
    assert UsageEvent.objects.get().event_id == "key-1"
    codes = {held.reasons[0]["code"] for held in QuarantinedEvent.objects.all()}
    assert codes == {"conflict", "id_missing"}


def test_bad_rows_are_held_back_with_their_line_and_the_rest_comes_in(tmp_path: Path) -> None:
    text = rows(day(1), day(2, "1,2"), day(3, "many,2,"), "sometime,1,2,", day(4, "1,2,,,"), "", day(5))
    report = importing.import_file(request=request(write(tmp_path, text)), at=NOW)
    assert (report.run.accepted, report.run.quarantined) == (2, 4)
    assert report.reasons == {"row_ragged": 2, "value_not_number": 1, "time_invalid": 1}
    ragged = QuarantinedEvent.objects.get(event_id="use.csv:3")
    assert ragged.reasons[0]["detail"] == "Line 3 has 3 cells, the header has 4."
    assert ragged.source == "import"
    assert json.loads(ragged.raw) == {"row": "use.csv:3", "cells": ["2026-03-02 10:00:00", "1", "2"]}
    assert UsageEvent.objects.filter(event_id="use.csv:8").exists()  # the empty line 7 keeps its number


def test_a_row_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1, '1,2,"two\nlines"'), day(2)))
    assert load(path) == (2, 0, 0)
    assert list(UsageEvent.objects.order_by("seq").values_list("event_id", flat=True)) == ["use.csv:2", "use.csv:4"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path, ending: str) -> None:
    text = b"\xef\xbb\xbf" + rows(day(1), day(2)).replace("\n", ending).encode()
    assert load(write(tmp_path, text)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (rows(day(1)).encode("utf-16"), "is not UTF-8"),
        (rows(day(1), day(2, "1,2,Caf\xe9")).encode("latin-1"), r"is not UTF-8 \(near byte 69\)"),
        ("When,In\n", "The column 'Out' is not in the header"),
        ("When,In,Out,In\n", "The column 'In' stands twice in the header"),
    ],
    ids=["empty", "only a mark", "UTF-16", "Latin-1", "no such column", "a column twice"],
)
def test_a_file_that_cannot_work_is_refused_before_any_row(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        load(write(tmp_path, text))
    assert not ImportRun.objects.exists()
    assert not CaptureBatch.objects.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"nowhere\.csv cannot be read: No such file"):
        load(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("changes", "pairs", "says"),
    [
        ({"customer_code": "nobody"}, MAP, "There is no customer nobody"),
        ({"event_type": "llm.unknown"}, MAP, "No event contract for type llm.unknown is in force"),
        ({"customer_code": None}, MAP, "need --customer and --type"),
        ({"event_type": None}, MAP, "need --customer and --type"),
        ({}, ["data.input_tokens=In"], "--map time=COLUMN"),
    ],
)
def test_what_could_not_work_for_any_row_is_refused_at_once(
    tmp_path: Path, changes: dict[str, Any], pairs: list[str], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        load(write(tmp_path, rows(day(1))), *pairs, **changes)
    assert not ImportRun.objects.exists()


def test_a_file_name_that_makes_no_id_is_refused_unless_a_column_does(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1, "1,2,key-1")), name="März.csv")
    with pytest.raises(InvalidInputError, match="rename the file"):
        load(path)
    assert load(path, *MAP, "id=Note") == (1, 0, 0)


def test_a_broken_quotation_ends_the_import_and_the_mended_file_goes_on(tmp_path: Path) -> None:
    good = [day(1), day(2)]
    with pytest.raises(InvalidInputError, match="the row that begins in line 4 is broken"):
        load(write(tmp_path, rows(*good, day(3, '1,2,"open'), day(4))))
    assert load(write(tmp_path, rows(*good, day(3, '1,2,"shut"'), day(4)))) == (4, 0, 0)


def test_a_run_that_was_stopped_goes_on_after_its_last_whole_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_chunks, "ROWS_MAX", 2)
    path = write(tmp_path, rows(*map(day, range(1, 8))))

    def stop_after_two_chunks(done: int, total: int) -> None:
        if UsageEvent.objects.count() == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.import_file(request=request(path), at=NOW, progress=stop_after_two_chunks)
    stopped = ImportRun.objects.get()
    assert (stopped.accepted, stopped.finished_at) == (4, None)
    assert load(path) == (7, 0, 0)
    run = ImportRun.objects.get()
    assert run.finished_at is not None
    assert CaptureBatch.objects.count() == 4


def test_a_chunk_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, rows(day(1), day(2)))
    capture = ingest.store_parcel

    def capture_and_fail(*call: Any, **named: Any) -> None:
        capture(*call, **named)
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store_parcel", capture_and_fail)
        with pytest.raises(RuntimeError):
            load(path)
    assert not UsageEvent.objects.exists()
    assert load(path) == (2, 0, 0)


def test_two_imports_of_one_file_at_once_do_not_share_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_chunks, "ROWS_MAX", 1)
    path = write(tmp_path, rows(day(1), day(2), day(3)))

    def other_moves_on(done: int, total: int) -> None:
        ImportRun.objects.update(rows_done=3)

    with pytest.raises(import_storing.ImportRunningError, match=r"Another process is importing use\.csv"):
        importing.import_file(request=request(path), at=NOW, progress=other_moves_on)
    assert UsageEvent.objects.count() == 1


def test_progress_counts_bytes_up_to_the_size_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_chunks, "ROWS_MAX", 1)
    path = write(tmp_path, rows(day(1), day(2)))
    seen: list[tuple[int, int]] = []
    importing.import_file(request=request(path), at=NOW, progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert seen == [(size - len(day(2)) - 1, size), (size, size)]


def test_ndjson_lines_are_cloud_events_and_take_what_they_lack_from_the_import(tmp_path: Path) -> None:
    whole = usage.event("own", subject="acme")
    bare = {name: value for name, value in usage.event().items() if name not in ("id", "source", "type", "subject")}
    text = "\n".join([json.dumps(whole), "", json.dumps(bare), "{not json", "[1]"])
    path = write(tmp_path, text, name="use.ndjson")
    run = importing.import_file(
        request=ImportRequest(
            path=path, form="ndjson", customer_code="acme", event_type=usage.EVENT_TYPE, source="bulk"
        ),
        at=NOW,
    ).run
    assert (run.accepted, run.duplicates, run.quarantined) == (2, 0, 2)
    assert set(UsageEvent.objects.values_list("source", "event_id")) == {("api/eu", "own"), ("bulk", "use.ndjson:3")}


def test_ndjson_needs_nothing_else_when_its_lines_are_whole(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps(usage.event("a")), name="use.ndjson")
    run = importing.import_file(request=ImportRequest(path=path, form="ndjson"), at=NOW).run
    assert run.accepted == 1


def test_mapped_ndjson_keeps_its_exact_numbers(tmp_path: Path) -> None:
    text = '{"When": "2026-03-01 10:00:00", "In": 0.10, "Out": "7"}\n{"When": "soon", "In": 1, "Out": 1}\n'
    path = write(tmp_path, text, name="use.ndjson")
    assert load(path, form="ndjson") == (1, 0, 1)
    assert str(UsageEvent.objects.get().data["input_tokens"]) == "0.10"
    assert UsageEvent.objects.get().data["output_tokens"] == "7"
    assert QuarantinedEvent.objects.get().reasons[0]["code"] == "time_invalid"


def test_a_line_longer_than_anything_sensible_ends_the_import(tmp_path: Path) -> None:
    path = write(tmp_path, rows(day(1, "1,2," + "x" * 1024 * 1024)))
    with pytest.raises(InvalidInputError, match="line 2 is longer than 1024 KiB"):
        load(path)


def test_a_json_line_longer_than_anything_sensible_ends_the_import_after_what_came_before(tmp_path: Path) -> None:
    good = [json.dumps(usage.event(name)) for name in ("a", "b")]
    path = write(tmp_path, "\n".join([*good, '"' + "x" * 1024 * 1024 + '"', *good]), name="use.ndjson")
    with pytest.raises(InvalidInputError, match="line 3 is longer than 1024 KiB"):
        importing.import_file(request=ImportRequest(path=path, form="ndjson"), at=NOW)
    assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"a", "b"}
    assert ImportRun.objects.get().rows_done == 2


def test_lines_of_too_much_structure_for_one_body_are_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_UNCOUNTED_BYTES", 0)
    monkeypatch.setattr(reading, "VALUES_MAX", 40)
    bare = {name: value for name, value in usage.event().items() if name != "id"}
    lines = [json.dumps(bare), "", *[json.dumps(usage.event(str(number))) for number in range(9)], json.dumps(bare)]
    crowded = usage.event("crowded")
    crowded["data"]["tags"] = list(range(60))
    path = write(tmp_path, "\n".join([*lines, json.dumps(crowded)]) + "\n", name="use.ndjson")
    importing.import_file(request=ImportRequest(path=path, form="ndjson"), at=NOW)
    own = {"use.ndjson:1", "use.ndjson:12", "crowded"}
    assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {str(number) for number in range(9)} | own
