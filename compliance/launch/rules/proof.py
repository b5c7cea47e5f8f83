"""A proof as a plain value: what was looked at, in facts, a table and links, the same for pages, API and console."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ROWS_MAX = 200  # of a table; how many there were is a fact beside it


def counted(number: int, one: str, many: str = "") -> str:
    """`1 contract`, `2 contracts`; with commas between thousands."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A page of the back office where more of it stands."""

    text: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was looked at: named figures, a table of the things themselves, and where to look further."""

    facts: Sequence[tuple[str, str]] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    links: Sequence[Link] = ()

    def as_json(self) -> dict[str, Any]:
        """`facts`: `[[name, value]]`, `table`: `{head, rows, left_out}`, `links`: `[{text, path}]`."""
        return {
            "facts": [[name, value] for name, value in self.facts],
            "table": {
                "head": list(self.head),
                "rows": [list(row) for row in self.rows[:ROWS_MAX]],
                "left_out": max(len(self.rows) - ROWS_MAX, 0),
            },
            "links": [{"text": link.text, "path": link.path} for link in self.links],
        }
