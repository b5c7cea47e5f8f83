"""What must hold at every moment, as named checks that return whatever offends; no offender, no offence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, LiteralString

from django.apps import apps
from django.db import connection

from core import anchors, audit, heads
from core.models import AuditHead

OFFENDERS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """A sentence that is true of the database, and the search for what contradicts it."""

    number: int
    name: str
    find_offenders: Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant, and what was found against it."""

    invariant: Invariant
    offenders: list[str]
    more: int = 0  # beyond those

    def as_json(self) -> dict[str, Any]:
        """`offenders` shows the first ones, `count` says how many there are."""
        return {
            "number": self.invariant.number,
            "name": self.invariant.name,
            "count": len(self.offenders) + self.more,
            "offenders": self.offenders[:OFFENDERS_SHOWN],
        }


def rows_of(statement: LiteralString) -> Callable[[], list[str]]:
    """A search by one SQL query whose rows are the offenders, each shown as its columns."""

    def search() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            names = [column.name for column in cursor.description or ()]
            return [
                ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
                for row in cursor.fetchall()
            ]

    return search


def all_invariants() -> list[Invariant]:
    """The lists of every app of this project that keeps one in its module `invariants`."""
    return [one for config in apps.get_app_configs() for one in invariants_of(config.name)]


def invariants_of(app: str) -> list[Invariant]:
    """The list of one app; empty where it keeps none."""
    name = f"{app}.invariants"
    return list(import_module(name).INVARIANTS) if find_spec(name) else []


def check_all(invariants: Sequence[Invariant]) -> list[Finding]:
    """Every invariant with its offenders, in the order of their numbers."""
    ordered = sorted(invariants, key=lambda invariant: (invariant.number, invariant.name))
    return [Finding(invariant, list(invariant.find_offenders())) for invariant in ordered]


def _find_broken_audit_entry() -> list[str]:
    entry = audit.find_first_broken_entry()
    return [] if entry is None else [f"{entry.reference} {entry.action} of {entry.subject}"]


def _find_contradicted_heads() -> list[str]:
    return list(heads.find_flaws([heads.as_document(head) for head in AuditHead.objects.all()]))


INVARIANTS = [
    Invariant(number=43, name="the audit chain verifies", find_offenders=_find_broken_audit_entry),
    Invariant(
        number=43, name="the audit chain contains every signed head of it", find_offenders=_find_contradicted_heads
    ),
    Invariant(
        number=43,
        name="the audit chain contains the anchors outside",
        find_offenders=lambda: list(anchors.find_flaws()),
    ),
    Invariant(
        number=44,
        name="no job is past two leases",
        find_offenders=rows_of(
            """
            SELECT id AS job, kind, key, leased_until FROM core_job
            WHERE state = 'leased' AND leased_until < clock_timestamp() - interval '60 seconds' ORDER BY id
            """
        ),
    ),
]
