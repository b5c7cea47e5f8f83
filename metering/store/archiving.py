"""The SQL of putting a month of raw events away and of bringing it back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from metering.store import postgres_rows
from metering.store.protocol import COLUMNS, Row

FETCH_ROWS = 20_000
_COLUMNS = sql.SQL(", ").join(
    sql.SQL("{}::text").format(sql.Identifier(name)) if name in {"data", "extras"} else sql.Identifier(name)
    for name in COLUMNS
)
# Sorted as the trace asks, so that it reads few groups of rows of the file.
_ROWS = sql.SQL(
    """
    SELECT {columns} FROM metering_usageevent
    WHERE occurred_at >= %(start)s AND occurred_at < %(end)s AND seq BETWEEN %(first_seq)s AND %(last_seq)s
    ORDER BY customer_id, contract_id, occurred_at, seq
    """
).format(columns=_COLUMNS)
_MEASURE = sql.SQL("SELECT count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) FROM {}")
_IS_UNCHANGED = sql.SQL(
    "SELECT EXISTS (SELECT FROM {table} WHERE seq = %s) AND NOT EXISTS (SELECT FROM {table} WHERE seq > %s)"
)
_DROP = sql.SQL("ALTER TABLE metering_usageevent DETACH PARTITION {table}; DROP TABLE {table}")


@dataclass(frozen=True, slots=True)
class MonthRows:
    """How many rows the table of a month holds, and between which numbers."""

    count: int
    first_seq: int
    last_seq: int


def measure_month(month: date) -> MonthRows:
    """Count the rows of the month's own table."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE.format(_table(month)).as_string())
        (row,) = cursor.fetchall()
    return MonthRows(*row)


def is_unchanged(month: date, *, first_seq: int, settled_seq: int) -> bool:
    """Whether the month's own table still holds what it held when all up to `settled_seq` had committed; two looks.

    Its rows go only together, and later ones have higher numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IS_UNCHANGED.format(table=_table(month)).as_string(), [first_seq, settled_seq])
        ((found,),) = cursor.fetchall()
    return bool(found)


def stream_rows(month: date, *, first_seq: int, last_seq: int) -> Iterator[list[Row]]:
    """Give the rows of a month as its file holds them, in the file's order and in bounded memory."""
    start, end = bounds(month)
    values: dict[str, Any] = {"start": start, "end": end, "first_seq": first_seq, "last_seq": last_seq}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ROWS.as_string(), values)
        while rows := cursor.fetchmany(FETCH_ROWS):
            yield list(rows)


def drop_month(month: date) -> None:
    """Take the month's table away, with all rows in it."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP.format(table=_table(month)).as_string())


def insert_rows(month: date, rows: Iterable[Sequence[Row]]) -> None:
    """Write rows of a file back, with the numbers they had, into the month's own table, which is there."""
    postgres_rows.copy_rows(rows, table=_table(month))


def bounds(month: date) -> tuple[datetime, datetime]:
    """Give the instants between which the events of a month happened."""
    start, end = (datetime(day.year, day.month, 1, tzinfo=UTC) for day in (month, next_month(month)))
    return start, end


def next_month(month: date) -> date:
    """Give the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _table(month: date) -> sql.Identifier:
    return sql.Identifier(f"metering_usageevent_{month:%Y%m}")
