"""Text files of any size, line by line in bounded memory: checked once as a whole before the first row is used."""

import codecs
import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import InvalidInputError

BLOCK_BYTES = 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024
MARK = b"\xef\xbb\xbf"  # Excel puts it before UTF-8


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
    """Some lines as they stand in the file; `first_number` counts from 1, `end_byte` is where the next one begins."""

    first_number: int
    lines: list[bytes]
    end_byte: int


def examine_file(path: Path, *, is_text: bool = True) -> tuple[str, int]:
    """Give SHA-256 and size; UnusableFileError for a file that is missing, empty, or, as text, not UTF-8 throughout."""
    total, size, decoder = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                total.update(block)
                if is_text:
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


def read_blocks(path: Path, *, after_line: int, rows_max: int, bytes_max: int) -> Iterator[Block]:
    """Give the lines of an examined file after some line, by the thousand; the line that passes a bound ends its block.

    Before a line that is too long comes what was read until there.
    """
    first, size, end, lines = after_line + 1, 0, 0, []
    for number, (end, raw) in enumerate(_raw_lines(path), start=1):
        is_long = len(raw) > LINE_BYTES_MAX
        if number > after_line and not is_long:
            lines.append(raw)
            size += len(raw)
        if is_long or len(lines) == rows_max or size > bytes_max:
            if lines:
                yield Block(first, lines, end - len(raw) if is_long else end)
            first, size, lines = number + 1, 0, []
        if is_long:
            raise UnusableFileError(f"{path}: line {number} is longer than {LINE_BYTES_MAX // 1024} KiB.")
    if lines:
        yield Block(first, lines, end)


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
