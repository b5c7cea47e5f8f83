"""The statement that looks at each event once: counts, digests and every total that meters make of a property.

A property gets columns of its own, so the text of the statement depends on how many properties there are and on what is
made of each, never on a name, a window or a customer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import LiteralString, NamedTuple

from psycopg import sql

from metering.store import corrections, measured_value

# An average is its sum over the number of values.
FUNCTIONS: dict[str, LiteralString] = {"sum": "sum", "average": "sum", "max": "max", "min": "min"}
PROPERTIES_MAX = 100  # in one statement, far below the 1,664 columns that PostgreSQL puts out
# `w` is a row of `measured_window` (store/measuring.py).
EVENTS = sql.SQL(
    """
    FROM measured_window w
    JOIN metering_usageevent e ON e.customer_id = w.customer_id AND w.span @> e.occurred_at
    WHERE w.contract_id = %(contract_id)s AND w.is_recurring = %(is_recurring)s AND e.contract_id = %(contract_id)s
      AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s AND e.seq <= %(up_to_seq)s
      AND {counted} AND {matches}
    """
).format(counted=corrections.counted("%(up_to_seq)s"), matches=measured_value.MATCHES)
# Each step works out one thing per property: the value, the number that it is, and that number if it can be counted.
# `OFFSET 0` keeps the planner from working them out once per use.
_LOOK = sql.SQL(
    """
    SELECT look.number, count(*), encode(sha256(string_agg(look.fingerprint, ''::bytea ORDER BY look.seq)), 'hex'),
           min(look.seq) {totals}
    FROM (
        SELECT look.number, look.seq, look.fingerprint {usable}
        FROM (
            SELECT look.number, look.seq, look.fingerprint {numbers}
            FROM (SELECT w.number, e.seq, e.fingerprint {values} {events} AND w.is_first OFFSET 0) look OFFSET 0
        ) look OFFSET 0
    ) look
    GROUP BY look.number
    """
)
_VALUE = sql.SQL(", e.data -> w.properties[{place}] AS {column}")  # no name, no value
_NUMBER = sql.SQL(", {number} AS {column}")
_USABLE = sql.SQL(", CASE WHEN {column} BETWEEN -1e15 AND 1e15 AND scale({column}) <= 18 THEN {column} END AS {column}")
_TOTAL = sql.SQL(", count({column}), coalesce({function}({column}), 0)")


class Total(NamedTuple):
    """What is made of the values of one property: the sum, or the greatest, or the least."""

    value_property: str
    function: str


@dataclass(frozen=True, slots=True)
class Totalled:
    """What a total came to, and of how many events: those that carry a usable value."""

    quantity: Decimal
    measured_count: int


@dataclass(frozen=True, slots=True)
class Look:
    """One statement, the properties that it reads (`first` is the place of the first among all) and its totals."""

    first: int
    properties: Sequence[str]
    totals: Sequence[Total]

    @property
    def statement(self) -> str:
        places = {name: number for number, name in enumerate(self.properties)}
        return _statement(self.first, len(places), tuple((places[name], make) for name, make in self.totals))

    def read(self, columns: Sequence[object]) -> dict[Total, Totalled]:
        """Give the totals of one row, from its columns behind number, count, digest and first number."""
        pairs = zip(self.totals, columns[::2], columns[1::2], strict=True)
        return {total: Totalled(quantity, measured) for total, measured, quantity in pairs}  # type: ignore[arg-type]


def total_of(aggregation: str, value_property: str) -> Total | None:
    """Give the total that this aggregation is made of; None where more than a total is needed, or nothing."""
    function = FUNCTIONS.get(aggregation)
    return None if function is None else Total(value_property, function)


def properties_of(totals: Collection[Total]) -> list[str]:
    """Give the properties in the order in which windows name those that they want."""
    return sorted({each.value_property for each in totals})


def plan_looks(totals: Collection[Total]) -> list[Look]:
    """Give the statements that count and work out these totals: one, however many meters and windows there are."""
    properties, wanted = properties_of(totals), sorted(set(totals))
    looks = []
    for first in range(0, max(len(properties), 1), PROPERTIES_MAX):
        here = properties[first : first + PROPERTIES_MAX]
        looks.append(Look(first, here, [each for each in wanted if each.value_property in here]))
    return looks


@lru_cache(maxsize=64)
def _statement(first: int, properties: int, totals: Sequence[tuple[int, str]]) -> str:
    columns = [sql.Identifier(f"of_{number}") for number in range(properties)]
    values = [
        _VALUE.format(place=sql.Literal(first + number + 1), name=sql.Placeholder(f"property_{number}"), column=column)
        for number, column in enumerate(columns)
    ]
    numbers = [_NUMBER.format(number=measured_value.number_in(column), column=column) for column in columns]
    usable = [_USABLE.format(column=column) for column in columns]
    made = [_TOTAL.format(column=columns[number], function=sql.Identifier(make)) for number, make in totals]
    return _LOOK.format(
        totals=sql.Composed(made),
        usable=sql.Composed(usable),
        numbers=sql.Composed(numbers),
        values=sql.Composed(values),
        events=EVENTS,
    ).as_string()
