"""Recounts go through each window once, by itself and by the index: neither the plan nor the order of the measuring."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from psycopg import sql

from metering.rules import aggregation
from metering.store import measured_value, recounted_events

PROPERTIES_MAX = 100  # in one statement
# Meters on one contract share the events of a window, so these are gone through once for all of them.
_WINDOWS = sql.SQL(
    """
    SELECT w.ids, counted.*
    FROM (
        SELECT array_agg(id) AS ids, customer_id, contract_id, filters, since, window_end, up_to_seq {names}
        FROM recounted_snapshot WHERE contract_id = %(contract_id)s
        GROUP BY customer_id, contract_id, filters, since, window_end, up_to_seq
    ) w
    CROSS JOIN LATERAL (
        SELECT count(*) AS events, encode(sha256(string_agg(one.fingerprint, ''::bytea ORDER BY one.seq)), 'hex')
               {totals}
        FROM (
            SELECT one.seq, one.fingerprint {usable}
            FROM (
                SELECT one.seq, one.fingerprint {numbers}
                FROM (
                    SELECT e.seq, e.fingerprint {values} FROM metering_usageevent e WHERE {in_window} OFFSET 0
                ) one OFFSET 0
            ) one OFFSET 0
        ) one
    ) counted
    WHERE counted.events > 0
    """
)
_NAME = sql.SQL(", min(value_property) FILTER (WHERE place = {place}) AS {column}")
_VALUE = sql.SQL(", e.data -> w.{column} AS {column}")  # no name, no value
_NUMBER = sql.SQL(", {number} AS {column}")
_USABLE = sql.SQL(", CASE WHEN abs({column}) <= 1e15 AND scale({column}) <= 18 THEN {column} END AS {column}")
_TOTALS = sql.SQL(", count({column}), sum({column}), max({column}), min({column})")
_COLUMNS = 4
MADE_OF = {"sum": "sum", "average": "sum", "max": "max", "min": "min"}


@dataclass(frozen=True, slots=True)
class Values:
    """The usable values of one property in a window; None where there is none."""

    measured_count: int
    sum: Decimal | None
    max: Decimal | None
    min: Decimal | None


@dataclass(slots=True)
class Window:
    """What the raw events of a window say: how many, which, and what they carry by property."""

    event_count: int = 0
    digest: str = aggregation.digest([])
    values: dict[str, Values] = field(default_factory=dict)

    def total(self, kind: str, value_property: str) -> tuple[Decimal, int]:
        """Give the total of this kind before anything is divided, and the number of values in it."""
        if kind == "count":
            return Decimal(self.event_count), self.event_count
        found = self.values.get(value_property)
        if found is None or kind not in MADE_OF:
            return aggregation.ZERO, 0
        total: Decimal | None = getattr(found, MADE_OF[kind])
        return aggregation.ZERO if total is None else total, found.measured_count


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement over all windows of a contract, for these properties."""

    first: int
    properties: Sequence[str]

    @property
    def statement(self) -> str:
        return _statement(self.first, len(self.properties))

    def add(self, found: dict[int, Window], ids: Sequence[int], row: Sequence[Any]) -> None:
        """Take over one row behind its ids: the snapshots of one window share it."""
        events, digest, *columns = row
        window = found.setdefault(ids[0], Window(events, digest))
        for number, name in enumerate(self.properties):
            window.values[name] = Values(*columns[_COLUMNS * number : _COLUMNS * (number + 1)])
        found.update(dict.fromkeys(ids, window))


def ask(properties: Sequence[str]) -> Iterator[Asked]:
    """Give the statements that count and total these properties, in the order of their places; there is always one."""
    for first in range(0, max(len(properties), 1), PROPERTIES_MAX):
        yield Asked(first, properties[first : first + PROPERTIES_MAX])


@lru_cache(maxsize=64)
def _statement(first: int, properties: int) -> str:
    columns = [sql.Identifier(f"of_{number}") for number in range(properties)]
    names = [
        _NAME.format(place=sql.Literal(first + number), column=column) for number, column in enumerate(columns, start=1)
    ]
    return _WINDOWS.format(
        names=sql.Composed(names),
        values=sql.Composed([_VALUE.format(column=column) for column in columns]),
        numbers=sql.Composed(
            [_NUMBER.format(number=measured_value.number_in(column), column=column) for column in columns]
        ),
        usable=sql.Composed([_USABLE.format(column=column) for column in columns]),
        totals=sql.Composed([_TOTALS.format(column=column) for column in columns]),
        in_window=recounted_events.IN_WINDOW,
    ).as_string()
