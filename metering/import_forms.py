"""The forms of imported files: rows of CSV and Parquet, mapped JSON lines and CloudEvents, each made into events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import repeat
from pathlib import Path
from typing import Any

from accounts.models import Customer
from core import canonical
from core.errors import InvalidInputError
from metering import files, import_chunks
from metering.files import Block, ParquetRow, Row
from metering.import_chunks import ReadChunks, Record
from metering.models import EventContractVersion
from metering.rules import import_rows, reading
from metering.rules.import_rows import ColumnMap, RowRules
from metering.rules.reading import BatchTooLargeError, Delivery, Unreadable
from metering.rules.reasons import reason

ID_PREFIX_LENGTH_MAX = 180


class ImportRefusedError(InvalidInputError):
    """The file cannot be imported as asked; nothing was read into the books."""

    code = "import_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Which file, in which form, and what its rows leave out; without a column map, NDJSON lines are CloudEvents."""

    path: Path
    form: str
    customer_code: str | None = None
    event_type: str | None = None
    source: str = "import"
    columns: ColumnMap = field(default_factory=ColumnMap)

    @property
    def is_mapped(self) -> bool:
        return self.form == "csv" or bool(self.columns.columns)


def open_file(request: ImportRequest) -> ReadChunks:
    """Give what reads the events of the rows after some line.

    Refuses at once what could not work for any row. Parquet skips what was done; the others pass it by.
    """
    if request.customer_code is not None and not Customer.objects.filter(code=request.customer_code).exists():
        raise ImportRefusedError(f"There is no customer {request.customer_code}.", pointer="/customer")
    types = _declared_types(request.event_type) if request.event_type is not None else {}
    if request.form == "parquet":
        return _open_parquet(request, types=types)
    if not request.is_mapped:
        return _chunks_of_lines(request, _CloudEvents(request))
    rules = _row_rules(request, types=types)
    if request.form == "csv":
        rows = files.read_rows(request.path)
        read = _CsvRows(request, rules, _read_header(rows, request))
        return lambda after: import_chunks.of_records(rows, read, after_line=after)
    return _chunks_of_lines(request, _JsonRows(request, rules))


def _chunks_of_lines(request: ImportRequest, read: "_CloudEvents | _JsonRows") -> ReadChunks:
    are_events = isinstance(read, _CloudEvents)
    return lambda after: import_chunks.of_lines(request.path, read, after_line=after, are_events=are_events)


def _open_parquet(request: ImportRequest, *, types: dict[str, frozenset[str]]) -> ReadChunks:
    parquet = import_module("metering.parquet")  # late, for PyArrow takes some 70 MiB of every process that imports it
    names = parquet.column_names(request.path)
    read: _ParquetEvents | _ParquetRows = _ParquetEvents(request)
    if request.is_mapped:
        _require_columns(names, request)
        rules = _row_rules(request, types=types)
        names = list(dict.fromkeys(request.columns.columns))
        read = _ParquetRows(request, rules)
    rows_after = partial(parquet.read_rows, request.path, columns=names)
    return lambda after: import_chunks.of_records(rows_after(after_row=after), read, after_line=after)


def _declared_types(event_type: str) -> dict[str, frozenset[str]]:
    in_force = EventContractVersion.objects.filter(
        contract__event_type=event_type, status=EventContractVersion.Status.ACTIVE
    ).first()
    if in_force is None:
        raise ImportRefusedError(f"No event contract for type {event_type} is in force.", pointer="/type")
    return import_rows.declared_types(in_force.schema)


def _row_rules(request: ImportRequest, *, types: dict[str, frozenset[str]]) -> RowRules:
    if request.customer_code is None or request.event_type is None:
        raise ImportRefusedError("Rows with mapped columns need --customer and --type.")
    if request.columns.time is None:
        raise ImportRefusedError("Say which column holds the time: --map time=COLUMN.")
    name = request.path.name
    if request.columns.id is None and not (name.isascii() and name.isprintable() and len(name) <= ID_PREFIX_LENGTH_MAX):
        raise ImportRefusedError(
            f"Ids are made of the file's name, and {name!a} is not up to {ID_PREFIX_LENGTH_MAX} plain ASCII characters:"
            " rename the file, or name a column with --map id=COLUMN."
        )
    return RowRules(
        columns=request.columns,
        customer_code=request.customer_code,
        event_type=request.event_type,
        source=request.source,
        types=types if request.form == "csv" else None,  # the others have types of their own
    )


def _read_header(rows: Iterator[Row], request: ImportRequest) -> list[str]:
    header = next(rows, None)
    names = [] if header is None else header.cells
    _require_columns(names, request)
    return names


def _require_columns(names: Sequence[str], request: ImportRequest) -> None:
    for column in request.columns.columns:
        if names.count(column) != 1:
            found = "stands twice in" if column in names else "is not in"
            raise ImportRefusedError(f"The column {column!r} {found} the header of {request.path}: {', '.join(names)}.")


def _row_id(request: ImportRequest, number: int) -> str:
    """Name a row by its line, as an editor or a spreadsheet shows it."""
    return f"{request.path.name}:{number}"


@dataclass(frozen=True, slots=True)
class _CsvRows:
    """Makes events of CSV rows; one with more or fewer cells than the header is held back."""

    request: ImportRequest
    rules: RowRules
    header: list[str]

    def __call__(self, records: Sequence[Record]) -> list[Delivery]:
        return [self._delivery(record) for record in records if isinstance(record, Row)]

    def _delivery(self, row: Row) -> Delivery:
        event_id = _row_id(self.request, row.number)
        if len(row.cells) != len(self.header):
            detail = f"Line {row.number} has {len(row.cells)} cells, the header has {len(self.header)}."
            raw = canonical.canonical_bytes({"row": event_id, "cells": row.cells}).decode()
            return Unreadable(raw, (reason("row_ragged", detail),), {"id": event_id, "source": self.request.source})
        cells = dict(zip(self.header, row.cells, strict=True))
        return import_rows.event_of_row(cells, event_id=event_id, rules=self.rules)


@dataclass(frozen=True, slots=True)
class _JsonRows:
    """Makes events of JSON objects with mapped names, one per line."""

    request: ImportRequest
    rules: RowRules

    def __call__(self, block: Block) -> list[Delivery]:
        return [
            delivery
            if isinstance(delivery, Unreadable)
            else import_rows.event_of_row(delivery, event_id=_row_id(self.request, number), rules=self.rules)
            for number, delivery in zip(*_read_json(block), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _ParquetRows:
    """Makes events of Parquet rows with mapped columns; their values have types."""

    request: ImportRequest
    rules: RowRules

    def __call__(self, records: Sequence[Record]) -> list[Delivery]:
        return [
            import_rows.event_of_row(row.values, event_id=_row_id(self.request, row.number), rules=self.rules)
            for row in records
            if isinstance(row, ParquetRow)
        ]


@dataclass(frozen=True, slots=True)
class _ParquetEvents:
    """Takes columns named as CloudEvents attributes; `data` is a struct, or JSON as text."""

    request: ImportRequest

    def __call__(self, records: Sequence[Record]) -> list[Delivery]:
        common = _common_attributes(self.request)
        return [self._delivery(row, common) for row in records if isinstance(row, ParquetRow)]

    def _delivery(self, row: ParquetRow, common: dict[str, str]) -> Delivery:
        own = {name: value for name, value in row.values.items() if value is not None}
        if "id" in own:
            own["id"] = import_rows.id_text(own["id"])
        event: dict[str, Any] = {"specversion": "1.0", "id": _row_id(self.request, row.number), **common, **own}
        if isinstance(event.get("data"), str):
            value, reasons = reading.read_value(event["data"])
            if reasons:
                return Unreadable(canonical.canonical_bytes(own | {"data": event["data"]}).decode(), reasons, event)
            event["data"] = value
        return event


@dataclass(frozen=True, slots=True)
class _CloudEvents:
    """Takes CloudEvents as they are, and fills in what the import was told of all of them."""

    request: ImportRequest

    def __call__(self, block: Block) -> list[Delivery]:
        common = _common_attributes(self.request)
        filled = {"id", *common}
        numbers, deliveries = _read_json(block)
        if set(map(type, deliveries)) == {dict} and all(
            all(map(dict.__contains__, deliveries, repeat(name)))  # type: ignore[arg-type]  # all are dict
            for name in filled
        ):
            return deliveries
        return [
            delivery
            if isinstance(delivery, Unreadable) or delivery.keys() >= filled
            else {"id": _row_id(self.request, number), **common, **delivery}
            for number, delivery in zip(numbers, deliveries, strict=True)
        ]


def _common_attributes(request: ImportRequest) -> dict[str, str]:
    told = {"source": request.source, "type": request.event_type, "subject": request.customer_code}
    return {name: value for name, value in told.items() if value is not None}


def _read_json(block: Block) -> tuple[Sequence[int], list[Delivery]]:
    """Give the numbers of the lines that are not empty, and what stands in them."""
    numbers: Sequence[int] = range(block.first_number, block.first_number + len(block.lines))
    lines = block.lines
    if not all(lines) or any(map(bytes.isspace, lines)):
        numbers = [number for number, line in zip(numbers, lines, strict=True) if line.strip()]
        lines = [line for line in lines if line.strip()]
    return numbers, _read_lines(lines)


def _read_lines(lines: Sequence[bytes]) -> list[Delivery]:
    """Read all at once, or where that is too much structure for one body, in halves."""
    try:
        return reading.read_separate(b"\n".join(lines), lines)
    except BatchTooLargeError:
        if len(lines) == 1:
            return [reading.read_one(lines[0].decode())]
        half = len(lines) // 2
        return [*_read_lines(lines[:half]), *_read_lines(lines[half:])]
