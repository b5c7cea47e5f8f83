"""Two versions side by side: what one says and the other does not, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of both versions; `state` is same, changed, added or removed."""

    field: str
    old: str
    new: str
    state: str


def compare(old: Any, new: Any) -> list[Difference]:
    """Every field of two JSON documents, in the order of the new one, then what only the old one has."""
    before, after = dict(_flatten(old)), dict(_flatten(new))
    return [
        Difference(field, before.get(field, NOTHING), after.get(field, NOTHING), _state(field, before, after))
        for field in [*after, *(field for field in before if field not in after)]
    ]


def _state(field: str, before: dict[str, str], after: dict[str, str]) -> str:
    if field not in before:
        return "added"
    if field not in after:
        return "removed"
    return "same" if before[field] == after[field] else "changed"


def _flatten(document: Any, *, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by their way down: `tier 2, unit amount`."""
    match document:
        case dict():
            for name, value in document.items():
                yield from _flatten(value, path=_join(path, str(name).replace("_", " ")))
        case list():
            for number, value in enumerate(document, start=1):
                yield from _flatten(value, path=f"{path.removesuffix('s')} {number}".strip())
        case None:
            yield path, "no end" if path.endswith("up to") else NOTHING
        case _:
            yield path, str(document)


def _join(path: str, name: str) -> str:
    return f"{path}, {name}" if path else name
