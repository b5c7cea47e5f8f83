"""What must hold at every moment, as named checks that return whatever offends; no offender, no offence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

OFFENDERS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A sentence that is true of the database, and the search for what contradicts it."""

    number: int
    name: str
    find_offenders: Callable[[], Sequence[str]]


def find_rows(statement: str) -> Callable[[], list[str]]:
    """A search by one SQL query whose rows are the offenders, each shown as its columns."""

    def search() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            names = [column.name for column in cursor.description or ()]
            return [", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in cursor]

    return search


def check_all(invariants: Sequence[Invariant]) -> list[tuple[Invariant, list[str]]]:
    """Every invariant with its offenders, in the order of their numbers."""
    ordered = sorted(invariants, key=lambda invariant: (invariant.number, invariant.name))
    return [(invariant, list(invariant.find_offenders())) for invariant in ordered]


def as_json(results: Sequence[tuple[Invariant, list[str]]]) -> list[dict[str, Any]]:
    """One object per invariant; `offenders` shows the first ones, `count` says how many there are."""
    return [
        {
            "number": invariant.number,
            "name": invariant.name,
            "count": len(offenders),
            "offenders": offenders[:OFFENDERS_SHOWN],
        }
        for invariant, offenders in results
    ]
