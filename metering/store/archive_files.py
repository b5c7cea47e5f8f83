"""Raw events as Parquet: written sorted by customer, read back by customer and time, proved by a digest."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from django.conf import settings

from core.errors import DomainError
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


class ArchiveUnreadableError(DomainError):
    """A file of events is missing, or is not the one that was written."""

    code = "archive_unreadable"
    http_status = 503


def folder() -> Path:
    """Where the files lie: EVENT_ARCHIVE, or `archive` beside everything else that this installation writes."""
    return Path(settings.EVENT_ARCHIVE)


def write_file(path: Path, rows: Iterable[Sequence[Row]]) -> tuple[int, str]:
    """Write chunks of rows (`protocol.COLUMNS`), and give their number and digest once they are on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, digest = 0, hashlib.sha256()
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for chunk in rows:
            columns = list(zip(*chunk, strict=True))
            writer.write_table(pa.table(columns, schema=SCHEMA), row_group_size=ROWS_PER_GROUP)
            count += len(chunk)
            _feed(digest, chunk)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return count, digest.hexdigest()


def read_rows(path: Path, *, wanted: pc.Expression | None = None) -> Iterator[list[Row]]:
    """Give the rows of a file in its order, a group of rows at a time."""
    data = ds.dataset(path, schema=SCHEMA, format="parquet")
    for batch in data.to_batches(filter=wanted, batch_size=ROWS_PER_GROUP, use_threads=False):
        columns = [column.to_pylist() for column in batch.columns]
        yield list(zip(*columns, strict=True))


def within(span: Span) -> pc.Expression:
    """Events of a span by time, customer and name; groups of rows without any are not even read."""
    at = pc.field("occurred_at")
    wanted = (at >= pa.scalar(span.start, _INSTANT)) & (at < pa.scalar(span.end, _INSTANT))
    if span.customer_ids is not None:
        wanted &= pc.field("customer_id").isin(list(span.customer_ids))
    return wanted if span.seqs is None else wanted & pc.field("seq").isin(list(span.seqs))


def digest_of(rows: Iterable[Sequence[Row]]) -> tuple[int, str]:
    """Count rows and digest every column of them."""
    count, digest = 0, hashlib.sha256()
    for chunk in rows:
        count += len(chunk)
        _feed(digest, chunk)
    return count, digest.hexdigest()


def _feed(digest: Any, rows: Sequence[Row]) -> None:
    for row in rows:
        digest.update("\x1f".join(_text(value) for value in row).encode())
        digest.update(b"\x1e")


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def require_file(name: str, *, sha256: str) -> Path:
    """Give the path of a file whose bytes are those that were written; looked at again when the file changes."""
    path = folder() / name
    try:
        state = path.stat()
        found = _hash_unchanged(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise ArchiveUnreadableError(
            f"The events of {name} cannot be read ({error.strerror}). Put the file back into {folder()}, or set "
            "EVENT_ARCHIVE to the folder where it lies."
        ) from error
    if found != sha256:
        raise ArchiveUnreadableError(
            f"{path} is not the file that was written; put the copy with SHA-256 {sha256} back."
        )
    return path


@lru_cache(maxsize=256)
def _hash_unchanged(path: Path, _size: int, _changed: int) -> str:
    return hash_file(path)


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
