"""Bodies of events to Python values: fast where that is exact, exact wherever it is not, each event by itself."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, TypeVar

import orjson

from core.errors import DomainError
from metering.rules import exact_reader
from metering.rules.exact_reader import DEPTH_MAX, ElementReader
from metering.rules.reasons import Reason, reason

S = TypeVar("S", bound=Sequence[Any])

EVENTS_MAX = 10_000
CONTAINERS_MAX = 200_000  # in one body: an empty object costs 20 times its two bytes in memory
VALUES_MAX = 250_000  # by their commas: a short fraction costs 30 times its text
_UNCOUNTED_BYTES = 1024 * 1024  # a body this small cannot hold enough of them to matter
_WRITTEN_BYTES_MAX = 512 * 1024  # orjson takes up to 60 times the size of what it writes
_INEXACT = -1
_PLAIN = frozenset({str, int, bool, type(None)})
FAST_BYTES_MAX = 4 * 1024 * 1024  # orjson takes 13 times the size of a document while it works
_PARSERS: Sequence[Callable[[bytes], Any]] = (orjson.loads, exact_reader.parse_plain)
_BLANK = " \t\r\n"
_BLANK_BYTES = _BLANK.encode()
_SKIP_BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece of a delivery that is not one exact JSON object; `raw` is as sent, `event` what could be read of it."""

    raw: str
    reasons: tuple[Reason, ...]
    event: dict[str, Any]


Delivery = dict[str, Any] | Unreadable


class NotABatchError(DomainError):
    """The body as a whole is not events."""

    code = "not_a_batch"
    http_status = 400


class BatchTooLargeError(DomainError):
    """More events, or more structure, than one request may carry."""

    code = "too_large"
    http_status = 413


def read_document(body: bytes) -> list[Delivery]:
    """Read one event or an array of them; NotABatchError for a body that is neither."""
    refuse_heavy(body)
    for parse in _parsers_for(body):
        try:
            document = parse(body)
        except ValueError:
            continue
        events = bounded(document if isinstance(document, list) else [document])
        if is_exact(body, events):
            return events
    return bounded(list(_read_elements(_text_of(body))))


def _parsers_for(body: bytes) -> Sequence[Callable[[bytes], Any]]:
    return _PARSERS if len(body) <= FAST_BYTES_MAX else _PARSERS[1:]


def read_lines(body: bytes) -> list[Delivery]:
    """Read one event per line; a line that is not JSON is held back by itself, empty lines count for nothing."""
    refuse_heavy(body)  # before it is cut: a line costs many times the bytes of a short one
    return _read_lines(body, [line for line in body.split(b"\n") if line.strip()])


def read_separate(body: bytes, lines: Sequence[bytes]) -> list[Delivery]:
    """Do so with a body that has been cut into the lines that are not empty."""
    refuse_heavy(body)
    return _read_lines(body, lines)


def read_flat(lines: Sequence[bytes]) -> list[dict[str, Any]] | None:
    """Read lines that, written again, are the same bytes, and whose `data` has neither fractions nor parts.

    Of the other attributes nothing is said; None for any other lines.
    """
    whole = b",".join(lines)
    if len(whole) > _WRITTEN_BYTES_MAX:
        return None
    try:
        events = [orjson.loads(line) for line in lines]
        kinds = set(map(type, chain.from_iterable(map(dict.values, map(itemgetter("data"), events)))))
    except (KeyError, TypeError, ValueError):
        return None
    if not kinds <= _PLAIN or orjson.dumps(events)[1:-1] != whole:
        return None
    return None if b"\\" in whole and b"\\u0000" in whole else events


def _read_lines(body: bytes, lines: Sequence[bytes]) -> list[Delivery]:
    bounded(lines)
    for parse in _PARSERS:
        try:
            events = [parse(line) for line in lines]
        except ValueError:
            continue
        if is_exact(body, events):
            return events
    return [_read_line(line) for line in lines]


def refuse_heavy(body: bytes) -> None:
    """Refuse before parsing what would take far more memory than its bytes."""
    if len(body) <= _UNCOUNTED_BYTES:
        return
    if body.count(b"{") + body.count(b"[") > CONTAINERS_MAX or body.count(b",") > VALUES_MAX:
        raise BatchTooLargeError("The body holds too many objects, arrays or values; send it in parts.")


def bounded(events: S) -> S:
    """Refuse a batch of too many events."""
    if len(events) > EVENTS_MAX:
        raise BatchTooLargeError(f"The body holds {len(events)} events; send at most {EVENTS_MAX} per request.")
    return events


def is_exact(body: bytes, events: list[Any]) -> bool:
    """Say that parsing lost nothing: no fraction or 65-bit integer became a float, no name stood twice, no NUL.

    Names are counted by the `":` behind them, blanks taken out. A text that holds those two bytes only adds to the
    count, so where the counts agree every name of the body is a name of the result.
    """
    if b"\\" in body and b"\\u0000" in body:
        return False
    return _is_as_written(body, events) or count_names(events) == body.translate(None, _BLANK_BYTES).count(b'":')


def _is_as_written(body: bytes, events: list[Any]) -> bool:
    """Say so because they are flat and, written again, the very same bytes: quick for those who send no blanks."""
    if not events or len(body) > _WRITTEN_BYTES_MAX:
        return False
    try:
        if not body.startswith(orjson.dumps(events[0]), body.startswith(b"[")):
            return False
        written = orjson.dumps(events)
    except TypeError:  # one holds a number that only we can write
        return False
    is_same = body == written or body.rstrip(b"\n").replace(b"\n", b",") == written[1:-1]
    return is_same and set(map(type, events)) == {dict} and _count_flat(events) is not None


def count_names(events: list[Any]) -> int:
    """Count the names of all objects, level by level; negative for anything inexact, too deep, or not an object."""
    if set(map(type, events)) - {dict}:
        return _INEXACT
    if (flat := _count_flat(events)) is not None:
        return flat
    names, values = 0, events
    for _level in range(DEPTH_MAX):
        kinds = set(map(type, values))
        if float in kinds:
            return _INEXACT
        objects = [value for value in values if type(value) is dict] if dict in kinds else []
        arrays = [value for value in values if type(value) is list] if list in kinds else []
        if not objects and not arrays:
            return names
        names += sum(map(len, objects))
        values = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(arrays)]
    return _INEXACT


def _count_flat(events: list[dict[str, Any]]) -> int | None:
    """Do so where `data` alone is an object and nothing else has parts, as mostly; None for anything else."""
    kinds = list(map(type, chain.from_iterable(map(dict.values, events))))
    data: list[Any] = list(map(dict.get, events, repeat("data")))
    if kinds.count(dict) != len(data) or set(map(type, data)) - {dict}:
        return None
    inner = set(map(type, chain.from_iterable(map(dict.values, data))))
    if not _PLAIN.issuperset(inner) or not {dict, *_PLAIN}.issuperset(kinds):
        return None
    return len(kinds) + sum(map(len, data))


def read_one(text: str) -> Delivery:
    """Read the text of a single event, as it is kept in quarantine."""
    return _read_line(text.encode())


def read_value(text: str) -> tuple[Any, tuple[Reason, ...]]:
    """Read one JSON value of any kind, with the reasons why it is not exact, if any."""
    try:
        reader = ElementReader(text.strip(_BLANK))
        _refuse_rest(reader.text, reader.read_at(0))
    except ValueError as error:
        return None, (reason("malformed_json", f"The body is not JSON: {error}."),)
    return reader.value, tuple(reader.reasons)


def _text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise NotABatchError(f"The body is not UTF-8 (byte {error.start}).") from error


def _read_line(line: bytes) -> Delivery:
    try:
        text = line.decode().strip(_BLANK)
        reader = ElementReader(text)
        _refuse_rest(text, reader.read_at(0))
    except ValueError as error:
        raw = line.decode(errors="backslashreplace").replace("\x00", "\\x00").strip(_BLANK)
        return Unreadable(raw, (reason("malformed_json", f"The line is not JSON: {error}."),), {})
    return _delivery(reader, text)


def _read_elements(text: str) -> Iterator[Delivery]:
    """Read a document element by element, so that what is wrong with one event stays with it."""
    try:
        for reader, raw in _split_elements(text):
            yield _delivery(reader, raw)
    except ValueError as error:
        raise NotABatchError(f"The body is not JSON: {error}.") from error


def _split_elements(text: str) -> Iterator[tuple[ElementReader, str]]:
    reader = ElementReader(text)
    start = _after_blanks(text, 0)
    if text[start : start + 1] not in ("[", "{"):
        raise ValueError("it is neither an object nor an array")
    if text[start : start + 1] == "{":
        end = reader.read_at(start)
        _refuse_rest(text, end)
        yield reader, text[start:end]
        return
    start = _after_blanks(text, start + 1)
    if text[start : start + 1] == "]":
        _refuse_rest(text, start + 1)
        return
    mark = ","
    while mark == ",":
        end = reader.read_at(start)
        yield reader, text[start:end]
        comma = _after_blanks(text, end)
        mark = text[comma : comma + 1]
        start = _after_blanks(text, comma + 1)
    if mark != "]":
        raise ValueError(f"a comma or the end of the array is missing at character {comma + 1}")
    _refuse_rest(text, comma + 1)


def _after_blanks(text: str, index: int) -> int:
    match = _SKIP_BLANKS.match(text, index)
    return match.end() if match else index


def _refuse_rest(text: str, end: int) -> None:
    if _after_blanks(text, end) != len(text):
        raise ValueError(f"something follows the end at character {end + 1}")


def _delivery(reader: ElementReader, raw: str) -> Delivery:
    value, reasons = reader.value, reader.reasons
    if not isinstance(value, dict):
        return Unreadable(raw, tuple(reasons or [reason("not_an_object")]), {})
    return Unreadable(raw, tuple(reasons), value) if reasons else value
