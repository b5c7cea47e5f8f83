"""Rows of files to events: columns, cells and times."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from metering.rules import import_rows
from metering.rules.import_rows import ColumnMap, RowRules


def test_a_column_map_names_time_id_and_properties() -> None:
    found = import_rows.read_column_map(["time=TIMESTAMP", "id=Key", "data.input=Context=Tokens", "data.a.b=C"])
    assert found == ColumnMap(time="TIMESTAMP", id="Key", data={"input": "Context=Tokens", "a.b": "C"})
    assert found.columns == ["TIMESTAMP", "Key", "Context=Tokens", "C"]


@pytest.mark.parametrize("pair", ["time", "time=", "=T", "data.=T", "subject=Customer", "Time=T"])
def test_a_pair_that_maps_nothing_is_refused(pair: str) -> None:
    with pytest.raises(ValueError, match="is none of time=COLUMN"):
        import_rows.read_column_map([pair])


@pytest.mark.parametrize("pairs", [["time=A", "time=B"], ["data.x=A", "data.x=B"]])
def test_nothing_is_mapped_twice(pairs: list[str]) -> None:
    with pytest.raises(ValueError, match="is mapped twice"):
        import_rows.read_column_map(pairs)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2023-11-16 18:15:46.6805900", "2023-11-16T18:15:46.6805900Z"),
        ("2023-11-16T18:15:46", "2023-11-16T18:15:46Z"),
        (" 2023-11-16 18:15:46Z ", "2023-11-16T18:15:46Z"),
        ("2023-11-16 18:15:46+01:00", "2023-11-16T18:15:46+01:00"),
        ("2023-11-16t18:15:46-0530", "2023-11-16T18:15:46-05:30"),
        ("2023-11-16 18:15:46+00", "2023-11-16T18:15:46+00:00"),
        ("2023-11-16 18:15:46 UTC", "2023-11-16T18:15:46Z"),
        ("2023-11-16", "2023-11-16"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_time_without_an_offset_is_utc(text: str, written: str) -> None:
    assert import_rows.time_text(text) == written


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("374", [], 374),
        ("0.10", [], Decimal("0.10")),
        ("-7", ["integer"], -7),
        ("12345678901234567890", ["number"], Decimal(12345678901234567890)),
        ("007", [], "007"),
        ("1_000", ["number"], "1_000"),
        (" 5 ", ["number"], " 5 "),
        ("1e3", ["number"], "1e3"),
        ("42", ["string"], "42"),
        ("42", ["string", "number"], 42),
        ("42", ["string", "null"], "42"),
        ("True", ["boolean"], True),
        ("true", [], "true"),
        ("maybe", ["boolean"], "maybe"),
    ],
)
def test_a_cell_takes_the_type_that_its_contract_declares(text: str, types: list[str], value: Any) -> None:
    found = import_rows.value_of_cell(text, types=frozenset(types))
    assert (found, type(found), str(found)) == (value, type(value), str(value))


def test_types_are_read_from_the_schema() -> None:
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": ["number", "null"]}, "c": {}, "d": True}}
    assert import_rows.declared_types(schema) == {"a": {"string"}, "b": {"number", "null"}}
    assert import_rows.declared_types({"properties": True}) == {}


RULES = RowRules(
    columns=ColumnMap(time="When", data={"tokens": "Used", "model": "Model"}),
    customer_code="acme",
    event_type="llm.tokens",
    source="import",
    types={},
)


def test_a_row_becomes_an_event_named_by_file_and_line() -> None:
    row = {"When": "2026-03-01 10:00:00", "Used": "5", "Model": "", "Other": "x"}
    assert import_rows.event_of_row(row, event_id="use.csv:2", rules=RULES) == {
        "specversion": "1.0",
        "id": "use.csv:2",
        "source": "import",
        "type": "llm.tokens",
        "subject": "acme",
        "time": "2026-03-01T10:00:00Z",
        "data": {"tokens": 5},
    }


def test_values_that_are_json_already_stay_as_they_are() -> None:
    row = {"When": "2026-03-01T10:00:00Z", "Used": "5", "Model": Decimal("0.5")}
    event = import_rows.event_of_row(row, event_id="use.ndjson:1", rules=replace(RULES, types=None))
    assert event["data"] == {"tokens": "5", "model": Decimal("0.5")}


@pytest.mark.parametrize(
    ("column", "event_id"),
    [
        (7, "7"),
        (-7, "-7"),
        (Decimal(12345678901234567890), "12345678901234567890"),
        ("007", "007"),
        (Decimal("7.0"), Decimal("7.0")),
        (Decimal("1E+3"), Decimal("1E+3")),
        (True, True),
    ],
)
def test_a_whole_number_in_the_column_of_ids_is_its_text(column: Any, event_id: Any) -> None:
    """The same ids stand in CSV as text: the same event must not have another id in another form of the file."""
    rules = replace(RULES, columns=replace(RULES.columns, id="Key"), types=None)
    event = import_rows.event_of_row({"When": "2026-03-01T10:00:00Z", "Key": column}, event_id="x:1", rules=rules)
    assert (event["id"], type(event["id"])) == (event_id, type(event_id))


def test_what_a_row_lacks_is_left_for_capture_to_find() -> None:
    event = import_rows.event_of_row({}, event_id="use.csv:2", rules=RULES)
    assert "time" not in event
    assert event["data"] == {}
