"""Files cut into chunks: as many rows as one commit may hold, with the place up to which they go."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering import files
from metering.files import Block, ParquetRow, Row, UnusableFileError
from metering.rules import reading
from metering.rules.reading import Delivery

# Capture's lock is held while a chunk is written, and a close waits for it: a blink still. Every chunk is a commit, so
# a larger one costs less; more than this no delivery may hold.
ROWS_MAX = reading.EVENTS_MAX
BYTES_MAX = 4 * 1024 * 1024
PIECE_ROWS = 1000
Record = Row | ParquetRow


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of the file, the number of the last of its lines, and where the next one begins."""

    rows: Any
    read: Callable[[Any], list[Delivery]]
    last_line: int
    end_byte: int

    def read_deliveries(self) -> list[Delivery]:
        """Make events of the rows."""
        return self.read(self.rows)


ReadChunks = Callable[[int], Iterator[Chunk]]


def of_blocks(path: Path, read_block: Callable[[Block], list[Delivery]], *, after_line: int) -> Iterator[Chunk]:
    """Give the events of a file's lines after some line."""
    for block in files.read_blocks(path, after_line=after_line, rows_max=ROWS_MAX, bytes_max=BYTES_MAX):
        yield Chunk(block, read_block, block.first_number + len(block.lines) - 1, block.end_byte)


def of_records(
    records: Iterable[Record], read_records: Callable[[Sequence[Record]], list[Delivery]], *, after_line: int
) -> Iterator[Chunk]:
    """Give the events of records after some line; where the file breaks off, whole pieces of what was read come in."""
    chunk: list[Record] = []
    chunk_start = 0
    try:
        for record in records:
            if record.number <= after_line:
                chunk_start = record.end_byte
                continue
            chunk.append(record)
            if len(chunk) == ROWS_MAX or record.end_byte - chunk_start > BYTES_MAX:
                yield _chunk(chunk, read_records)
                chunk, chunk_start = [], record.end_byte
    except UnusableFileError:
        if whole := len(chunk) // PIECE_ROWS * PIECE_ROWS:
            yield _chunk(chunk[:whole], read_records)
        raise
    if chunk:
        yield _chunk(chunk, read_records)


def _chunk(records: Sequence[Record], read_records: Callable[[Sequence[Record]], list[Delivery]]) -> Chunk:
    last = records[-1]
    return Chunk(records, read_records, last.last_line if isinstance(last, Row) else last.number, last.end_byte)
