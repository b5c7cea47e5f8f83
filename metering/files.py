"""Text files of any size, line by line in bounded memory: checked once as a whole before the first row is used."""

import codecs
import csv
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from core.errors import InvalidInputError

BLOCK_BYTES = 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024
STEP_BYTES = 128 * 1024
GZIP = b"\x1f\x8b"
MARK = b"\xef\xbb\xbf"  # Excel puts it before UTF-8
_AT_START = (b"", 0)  # of a decoder that waits for no further byte of a letter


class UnusableFileError(InvalidInputError):
    """The file as a whole cannot be read."""

    code = "unusable_file"


class Line(NamedTuple):
    """One line; `number` counts from 1, `end_byte` is where the next one begins."""

    number: int
    text: str
    end_byte: int


class ParquetRow(NamedTuple):
    """One row, counted from 1; `end_byte` is its share of the file."""

    number: int
    values: Mapping[str, Any]
    end_byte: int


class Row(NamedTuple):
    """One row of a CSV file, at the number of its first line."""

    number: int
    cells: list[str]
    end_byte: int
    last_line: int


class Block(NamedTuple):
    """Some lines as they stand in the file, without their ends; `first_number` counts from 1."""

    first_number: int
    lines: list[bytes]


class Span(NamedTuple):
    """Where some lines stand in a file, and what that file looked like; `end_byte` is where the next one begins."""

    path: Path
    first_number: int
    last_number: int
    start_byte: int
    end_byte: int
    look: tuple[int, ...]


def examine_file(path: Path, *, is_text: bool = True) -> tuple[str, int]:
    """Give SHA-256 and size; UnusableFileError for a file that is missing, empty, or, as text, not UTF-8 throughout."""
    total, size, decoder = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                if size == 0 and block.startswith(GZIP):
                    raise UnusableFileError(f"{path} is compressed: unpack it first, as with gunzip -k.")
                total.update(block)
                if is_text and not (block.isascii() and decoder.getstate() == _AT_START):
                    decoder.decode(block)
                size += len(block)
            decoder.decode(b"", final=is_text)
    except UnicodeDecodeError as error:
        raise UnusableFileError(
            f"{path} is not UTF-8 (near byte {size + error.start}); convert it first, as with iconv."
        ) from error
    except OSError as error:
        raise UnusableFileError(f"{path} cannot be read: {error.strerror}.") from error
    if size <= len(MARK):
        raise UnusableFileError(f"{path} is empty.")
    return total.hexdigest(), size


def find_spans(path: Path, *, after_line: int, rows_max: int, bytes_max: Callable[[int], int]) -> Iterator[Span]:
    """Give the places of an examined file's lines after some line; the line that passes a bound ends its span.

    `bytes_max` is told how much of the file is left. Before a line that is too long comes what was found until there.
    """
    with path.open("rb") as file:
        look = _look_at(file)
        number, start = after_line, _skip_lines(file, after_line)
        while True:
            rows, end, is_long = _measure_lines(file, start, rows_max=rows_max, bytes_max=bytes_max(look[0] - start))
            if rows:
                yield Span(path, number + 1, number + rows, start, end, look)
                number, start = number + rows, end
            if is_long:
                raise UnusableFileError(f"{path}: line {number + 1} is longer than {LINE_BYTES_MAX // 1024} KiB.")
            if not rows:
                return


def _measure_lines(file: BinaryIO, start: int, *, rows_max: int, bytes_max: int) -> tuple[int, int, bool]:
    """Give the number of lines up to a bound, where they end, and whether one follows that is too long."""
    rows, end, here = 0, start, start
    file.seek(start)
    while block := file.read(STEP_BYTES):
        passing = block.find(b"\n", max(0, start + bytes_max - here))
        whole = block if passing < 0 else block[: passing + 1]
        *lines, rest = whole.split(b"\n", rows_max - rows)  # many times faster than to count
        if here - end + (len(lines[0]) + 1 if lines else len(rest)) > LINE_BYTES_MAX:
            return rows, end, True
        rows += len(lines)
        end = here + len(whole) - len(rest) if lines else end
        here += len(block)
        if rows == rows_max or passing >= 0:
            return rows, end, False
    return (rows + 1, here, False) if here > end else (rows, end, False)  # the last one may have no end


def _skip_lines(file: BinaryIO, lines: int) -> int:
    """Say where the line after so many begins."""
    start = len(MARK) if file.read(len(MARK)) == MARK else 0
    file.seek(start)
    while lines and (block := file.read(BLOCK_BYTES)):
        rest = block.split(b"\n", lines)
        lines -= len(rest) - 1
        start += len(block) - (len(rest[-1]) if not lines else 0)
    return start


def read_span(span: Span) -> Block:
    """Read the lines of a span; UnusableFileError where the file is not what it was when they were found."""
    with span.path.open("rb") as file:
        if _look_at(file) != span.look:
            raise UnusableFileError(f"{span.path} was changed while it was read; run it again.")
        file.seek(span.start_byte)
        lines = file.read(span.end_byte - span.start_byte).split(b"\n")
    if not lines[-1]:
        del lines[-1]  # behind the end of the last one
    return Block(span.first_number, lines)


def _look_at(file: BinaryIO) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_dev, found.st_ino, found.st_mtime_ns


def read_lines(path: Path) -> Iterator[Line]:
    """Give the lines of an examined file, one by one."""
    for number, (end, raw) in enumerate(_raw_lines(path), start=1):
        if len(raw) > LINE_BYTES_MAX:
            raise UnusableFileError(f"{path}: line {number} is longer than {LINE_BYTES_MAX // 1024} KiB.")
        yield Line(number, raw.decode(), end)


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give each line, or as much of it as shows that it is too long, with where the next one begins."""
    with path.open("rb") as file:
        end = len(MARK)
        if file.read(len(MARK)) != MARK:
            end = file.seek(0)
        for raw in iter(partial(file.readline, LINE_BYTES_MAX + 1), b""):
            end += len(raw)
            yield end, raw


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a CSV file, empty lines left out; a broken quotation ends it, for what follows is guesswork."""
    last: list[Line] = [Line(0, "", 0)]
    reader = csv.reader(_texts(read_lines(path), last), strict=True)
    first_line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnusableFileError(f"{path}: the row that begins in line {first_line} is broken: {error}.") from error
        if cells:
            yield Row(first_line, cells, last[0].end_byte, last[0].number)
        first_line = last[0].number + 1


def _texts(lines: Iterable[Line], last: list[Line]) -> Iterator[str]:
    for line in lines:
        last[0] = line
        yield line.text
