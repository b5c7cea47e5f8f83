"""Imports of Parquet: typed values stay exact, rows are counted once, memory does not grow with the file."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metering import importing, parquet
from metering.files import UnusableFileError
from metering.import_forms import ImportRefusedError, ImportRequest
from metering.models import ImportRun, QuarantinedEvent, UsageEvent
from metering.rules import import_rows
from tests.builders import usage

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MAP = ["time=When", "data.input_tokens=In", "data.output_tokens=Out"]


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def write(folder: Path, columns: dict[str, Any], *, group: int = 1000) -> Path:
    path = folder / "use.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def load(path: Path, *pairs: str, **changes: Any) -> tuple[int, int, int]:
    given: dict[str, Any] = {"form": "parquet", "customer_code": "acme", "event_type": usage.EVENT_TYPE}
    columns = import_rows.read_column_map(pairs)
    run = importing.import_file(request=ImportRequest(path=path, columns=columns, **given | changes), at=NOW).run
    return run.accepted, run.duplicates, run.quarantined


def test_rows_become_events_with_exact_values(tmp_path: Path) -> None:
    columns = {
        "When": pa.array([NOON, NOON], pa.timestamp("us", tz="Europe/Berlin")),
        "In": pa.array([Decimal("0.10"), Decimal("12345678901234567890.12")], pa.decimal128(38, 2)),
        "Out": pa.array([0.1, 2.0], pa.float64()),
    }
    assert load(write(tmp_path, columns), *MAP) == (1, 0, 1)
    stored = UsageEvent.objects.get()
    assert (stored.source, stored.event_id, stored.occurred_at) == ("import", "use.parquet:1", NOON)
    assert {name: str(value) for name, value in stored.data.items()} == {"input_tokens": "0.10", "output_tokens": "0.1"}
    assert QuarantinedEvent.objects.get().reasons[0]["code"] == "value_out_of_range"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ms")), NOON),
        (pa.array([1772452800123456789], pa.timestamp("ns")), NOON.replace(microsecond=123456)),
        (pa.array([date(2026, 3, 2)], pa.date32()), None),
        (pa.array(["2026-03-02 13:00:00+01"]), NOON),
        (pa.array([b"2026-03-02T12:00:00Z"]), NOON),
    ],
)
def test_times_are_instants_and_without_a_zone_utc(tmp_path: Path, times: Any, expected: datetime | None) -> None:
    path = write(tmp_path, {"When": times, "In": [1], "Out": [1]})
    assert load(path, *MAP) == ((1, 0, 0) if expected else (0, 0, 1))
    assert list(UsageEvent.objects.values_list("occurred_at", flat=True)) == ([expected] if expected else [])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_held_back(tmp_path: Path, value: float | None) -> None:
    path = write(tmp_path, {"When": [NOON], "In": pa.array([value], pa.float64()), "Out": [1]})
    assert load(path, *MAP) == (0, 0, 1)


def test_columns_named_as_attributes_are_cloud_events(tmp_path: Path) -> None:
    columns = {
        "id": ["a", "b", "c"],
        "source": ["api/eu"] * 3,
        "time": [NOON] * 3,
        "data": ['{"input_tokens": 1.50, "output_tokens": 1}', '{"input_tokens": 2, "output_tokens"', "[1]"],
    }
    assert load(write(tmp_path, columns)) == (1, 0, 2)
    stored = UsageEvent.objects.get()
    assert (stored.source, stored.event_id, str(stored.data["input_tokens"])) == ("api/eu", "a", "1.50")
    codes = {event.event_id: event.reasons[0]["code"] for event in QuarantinedEvent.objects.all()}
    assert codes == {"b": "malformed_json", "c": "data_not_object"}


@pytest.mark.parametrize("type_of_ids", [pa.int64(), pa.uint32(), pa.decimal128(20, 0)])
def test_ids_that_are_whole_numbers_are_the_ids_of_the_same_rows_as_text(tmp_path: Path, type_of_ids: Any) -> None:
    ids = pa.array([41, 42], pa.int64()).cast(type_of_ids)
    rows: dict[str, Any] = {"When": [NOON] * 2, "In": [1] * 2, "Out": [1] * 2}
    assert load(write(tmp_path, rows | {"Key": ["41", "42"]}), *MAP, "id=Key") == (2, 0, 0)
    assert load(write(tmp_path, rows | {"Key": ids}), *MAP, "id=Key") == (0, 2, 0)
    own = {
        "id": ids,
        "source": ["api/eu"] * 2,
        "time": [NOON] * 2,
        "data": ['{"input_tokens":1,"output_tokens":1}'] * 2,
    }
    assert load(write(tmp_path, own)) == (2, 0, 0)
    assert set(UsageEvent.objects.filter(source="api/eu").values_list("event_id", flat=True)) == {"41", "42"}


def test_data_may_be_a_struct_whose_empty_fields_are_absent(tmp_path: Path) -> None:
    data = pa.array([{"input_tokens": 3, "output_tokens": 5, "model": None}])
    assert load(write(tmp_path, {"id": ["a"], "time": [NOON], "data": data})) == (1, 0, 0)
    assert UsageEvent.objects.get().data == {"input_tokens": 3, "output_tokens": 5}


def test_the_same_file_again_is_all_duplicates(tmp_path: Path) -> None:
    path = write(tmp_path, {"When": [NOON] * 30, "In": range(30), "Out": range(30)}, group=7)
    assert load(path, *MAP) == (30, 0, 0)
    assert load(path, *MAP) == (0, 30, 0)


def test_row_groups_that_were_done_are_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": list(range(20))}, group=6)
    assert [(row.number, row.values["a"]) for row in parquet.read_rows(path, columns=["a"], after_row=13)] == [
        (number, number - 1) for number in range(14, 21)
    ]
    assert list(parquet.read_rows(path, columns=["a"], after_row=20)) == []
    assert [row.end_byte for row in parquet.read_rows(path, columns=["a"])][-1] == path.stat().st_size


def test_a_file_that_is_none_or_lacks_a_column_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    broken = tmp_path / "use.parquet"
    broken.write_bytes(b"PAR1 nothing of it PAR1")
    with pytest.raises(UnusableFileError, match="is not a Parquet file"):
        load(broken, *MAP)
    with pytest.raises(ImportRefusedError, match="The column 'Out' is not in"):
        load(write(tmp_path, {"When": [NOON], "In": [1]}), *MAP)
    assert not ImportRun.objects.exists()


def test_a_file_broken_in_the_middle_keeps_what_was_read_and_says_where(tmp_path: Path) -> None:
    path = write(tmp_path, {"When": [NOON] * 5000, "In": range(5000), "Out": range(5000)}, group=2500)
    group = pq.ParquetFile(path).metadata.row_group(1)
    raw = bytearray(path.read_bytes())
    start = group.column(1).data_page_offset
    raw[start : start + 40] = bytes(40)
    path.write_bytes(raw)
    with pytest.raises(UnusableFileError, match="is broken after row"):
        load(path, *MAP)
    assert 2000 <= UsageEvent.objects.count() <= 2500


def test_memory_does_not_grow_with_a_row_group(tmp_path: Path) -> None:
    """300,000 rows of one group would take over 60 MB at once."""
    rows = 300_000
    path = write(
        tmp_path,
        {"When": [NOON] * rows, "In": range(rows), "Note": [f"note {n} " * 20 for n in range(rows)]},
        group=rows,
    )
    before, peak = pa.total_allocated_bytes(), 0
    for row in parquet.read_rows(path, columns=["When", "In", "Note"]):
        if row.number % 1000 == 0:
            peak = max(peak, pa.total_allocated_bytes() - before)
    assert peak < 24 * 2**20
