"""The columns of archived events in Parquet; imported late, for PyArrow is large."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from metering.store.protocol import Row, Span

ROWS_PER_GROUP = 20_000
_INSTANT = pa.timestamp("us", tz="UTC")
# The columns of `protocol.COLUMNS`, in that order.
SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("occurred_at", _INSTANT, nullable=False),
        pa.field("received_at", _INSTANT, nullable=False),
        pa.field("fingerprint", pa.binary(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("extras", pa.string(), nullable=True),
        pa.field("batch_id", pa.int64(), nullable=False),
        pa.field("contract_id", pa.int64(), nullable=False),
        pa.field("contract_version_id", pa.int64(), nullable=False),
        pa.field("customer_id", pa.int64(), nullable=False),
    ]
)


@contextmanager
def open_writer(path: Path) -> Iterator[Callable[[Sequence[Row]], None]]:
    """Give what writes one chunk of rows; the file is whole when the context ends."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:

        def write(chunk: Sequence[Row]) -> None:
            columns = list(zip(*chunk, strict=True))
            writer.write_table(pa.table(columns, schema=SCHEMA), row_group_size=ROWS_PER_GROUP)

        yield write


def read_rows(path: Path, *, span: Span | None) -> Iterator[list[Row]]:
    """Give the rows of a file in its order, a group of rows at a time."""
    data = ds.dataset(path, schema=SCHEMA, format="parquet")
    wanted = None if span is None else _within(span)
    for batch in data.to_batches(filter=wanted, batch_size=ROWS_PER_GROUP, use_threads=False):
        columns = [column.to_pylist() for column in batch.columns]
        yield list(zip(*columns, strict=True))


def _within(span: Span) -> pc.Expression:
    """Events of a span by time, customer and name; groups of rows without any are not even read."""
    at = pc.field("occurred_at")
    wanted = (at >= pa.scalar(span.start, _INSTANT)) & (at < pa.scalar(span.end, _INSTANT))
    if span.customer_ids is not None:
        wanted &= pc.field("customer_id").isin(list(span.customer_ids))
    return wanted if span.seqs is None else wanted & pc.field("seq").isin(list(span.seqs))
