"""Text files of any size, line by line in bounded memory: checked once as a whole before the first row is used."""

import codecs
import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InvalidInputError

BLOCK_BYTES = 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024
MARK = b"\xef\xbb\xbf"  # Excel puts it before UTF-8


class UnusableFileError(InvalidInputError):
    """The file as a whole cannot be read."""

    code = "unusable_file"


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `number` counts from 1, `end_byte` is where the next one begins."""

    number: int
    text: str
    end_byte: int


@dataclass(frozen=True, slots=True)
class ParquetRow:
    """One row, counted from 1; `end_byte` is its share of the file."""

    number: int
    values: Mapping[str, Any]
    end_byte: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a CSV file, at the number of its first line."""

    number: int
    cells: list[str]
    end_byte: int
    last_line: int


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


def read_lines(path: Path) -> Iterator[Line]:
    """Give the lines of an examined file."""
    with path.open("rb") as file:
        end, number = len(MARK), 0
        if file.read(len(MARK)) != MARK:
            end = file.seek(0)
        while raw := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(raw) > LINE_BYTES_MAX:
                raise UnusableFileError(f"{path}: line {number} is longer than {LINE_BYTES_MAX // 1024} KiB.")
            end += len(raw)
            yield Line(number, raw.decode(), end)


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
