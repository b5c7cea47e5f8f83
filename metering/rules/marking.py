"""A document laid out for reading, with the places marked that reasons point at."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from metering.rules import exact_json
from metering.rules.reasons import pointer_to

INDENT = "  "
LINES_MAX = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and the pointer that marks it; empty for a line that nothing points at."""

    text: str
    marked: str = ""


def mark(document: Any, *, pointers: Collection[str]) -> list[Line]:
    """Lay a JSON document out, a line for each value; a place that is missing marks the object that lacks it."""
    places = {_nearest(document, pointer): pointer for pointer in pointers}
    lines = list(_lines(document, path=(), name="", depth=0, tail="", places=places))
    return lines[:LINES_MAX]


def _nearest(document: Any, pointer: str) -> str:
    """Give the pointer of the deepest value on the way that is there."""
    found = document
    reached: list[str | int] = []
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
            reached.append(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
            reached.append(int(key))
        else:
            break
    return pointer_to(reached)


def _lines(
    value: Any, *, path: tuple[str | int, ...], name: str, depth: int, tail: str, places: dict[str, str]
) -> Iterator[Line]:
    here = pointer_to(path)
    marked = (places[here] or "/") if here in places else ""
    blank = INDENT * depth
    if not isinstance(value, dict | list) or not value:
        yield Line(f"{blank}{name}{exact_json.write_in_order(value).decode()}{tail}", marked)
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield Line(f"{blank}{name}{opening}", marked)
    entries: list[tuple[str | int, Any]] = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for number, (key, inner) in enumerate(entries, start=1):
        label = f"{exact_json.write(key).decode()}: " if isinstance(value, dict) else ""
        comma = "" if number == len(entries) else ","
        yield from _lines(inner, path=(*path, key), name=label, depth=depth + 1, tail=comma, places=places)
    yield Line(f"{blank}{closing}{tail}")
