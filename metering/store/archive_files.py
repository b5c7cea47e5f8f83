"""Raw events as Parquet: written sorted by customer, read back by customer and time, proved by a digest."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings

from core.errors import DomainError
from metering.store.protocol import Row, Span


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
    with _columns().open_writer(path) as write:
        for chunk in rows:
            write(chunk)
            count += len(chunk)
            _feed(digest, chunk)
    for name in (path, path.parent):  # the file, and that its name leads to it
        _sync(name)
    return count, digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_rows(path: Path, *, span: Span | None = None) -> Iterator[list[Row]]:
    """Give the rows of a file, or those of a span, in its order, a group of rows at a time."""
    yield from _columns().read_rows(path, span=span)


def _columns() -> ModuleType:
    """PyArrow takes some 70 MiB of every process that imports it; only who touches such a file pays for it."""
    return import_module("metering.store.archive_columns")


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
