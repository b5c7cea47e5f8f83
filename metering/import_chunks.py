"""Files cut into chunks: as many rows as one commit may hold, with the place up to which they go."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metering import files
from metering.files import Block, ParquetRow, Row, Span, UnusableFileError
from metering.rules import reading
from metering.rules.reading import Delivery

# Capture's lock is held while a chunk is written, and a close waits for it: a blink still. Every chunk is a commit, so
# a larger one costs less; more than this no delivery may hold.
ROWS_MAX = reading.EVENTS_MAX
BYTES_MAX = 4 * 1024 * 1024
# Towards the end of a file they become smaller, so that its processes come to their ends together.
BYTES_MIN = 512 * 1024
PARTS_OF_THE_REST = 6
PIECE_ROWS = 1000
Record = Row | ParquetRow


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of the file, the number of the last of its lines, and where the next one begins.

    `are_events` says that each line of text is meant to be a whole event.
    """

    rows: Any
    read: Callable[[Any], list[Delivery]]
    last_line: int
    end_byte: int
    are_events: bool = False

    def read_deliveries(self) -> list[Delivery]:
        """Make events of the rows."""
        return self.read(files.read_span(self.rows) if isinstance(self.rows, Span) else self.rows)

    def read_event_lines(self) -> list[bytes]:
        """Give the lines that are events as they stand; none for any other form."""
        return files.read_span(self.rows).lines if self.are_events else []


ReadChunks = Callable[[int], Iterator[Chunk]]


def of_lines(
    path: Path, read_block: Callable[[Block], list[Delivery]], *, after_line: int, are_events: bool
) -> Iterator[Chunk]:
    """Give the events of a file's lines after some line; the lines themselves are read where they are needed."""
    for span in files.find_spans(path, after_line=after_line, rows_max=ROWS_MAX, bytes_max=_bytes_max):
        yield Chunk(span, read_block, span.last_number, span.end_byte, are_events)


def _bytes_max(left: int) -> int:
    return min(BYTES_MAX, max(BYTES_MIN, left // PARTS_OF_THE_REST))


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
