"""Parquet files of any size, batch by batch in bounded memory; values leave exactly, or as text."""

import base64
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metering.files import ParquetRow, UnusableFileError
from metering.rules.instants import instant_text

BATCH_ROWS = 1000
BUFFER_BYTES = 1024 * 1024


def column_names(path: Path) -> list[str]:
    """Give the names of the columns; UnusableFileError for a file that is not Parquet."""
    with _open(path) as file:
        return list(file.schema_arrow.names)


def read_rows(path: Path, *, columns: Sequence[str], after_row: int = 0) -> Iterator[ParquetRow]:
    """Give the rows after this one; row groups that lie before it are not read at all."""
    size = path.stat().st_size
    with _open(path) as file:
        first = 0
        groups: list[int] = []
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if groups or first + rows > after_row:
                groups.append(group)
            else:
                first += rows
        number, total = first, file.metadata.num_rows
        try:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=list(columns)):
                for values in _plain_rows(batch):
                    number += 1
                    if number > after_row:
                        yield ParquetRow(number, values, size * number // total)
        except (pa.ArrowException, OSError) as error:
            raise UnusableFileError(f"{path} is broken after row {number}: {str(error)[:200]}.") from error


def _open(path: Path) -> pq.ParquetFile:
    try:
        # With a buffer, a column is read piece by piece; without, a whole row group of it at once.
        return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise UnusableFileError(f"{path} is not a Parquet file: {str(error)[:200]}.") from error


def _plain_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    columns = [(name, _plain_column(batch.column(index))) for index, name in enumerate(batch.schema.names)]
    for index in range(batch.num_rows):
        yield {name: values[index] for name, values in columns}


def _plain_column(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":  # cut like every other time
        column = pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False)
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    """Make of a value what JSON has: exact numbers, RFC 3339 instants (UTC if they have no zone), texts."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return str(value)


def _number(value: float) -> Decimal | str:
    return Decimal(repr(value)) if math.isfinite(value) else str(value)


def _instant(value: datetime) -> str:
    return instant_text(value if value.tzinfo else value.replace(tzinfo=UTC))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


_WRITERS: list[tuple[Any, Callable[[Any], Any]]] = [
    ((str, int, Decimal, type(None)), lambda value: value),
    (float, _number),
    (datetime, _instant),
    (date, date.isoformat),
    (bytes, _text),
]
