"""The PostgreSQL store: rows in `metering_usageevent`, in a table per month."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from metering.store.protocol import COLUMNS, Counted, Row, Span

FETCH_ROWS = 5000
_NAMES = sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS)
_AS_TEXT = sql.SQL(", ").join(
    sql.SQL("e.{}::text").format(sql.Identifier(name))
    if name in {"data", "extras"}
    else sql.SQL("e.{}").format(sql.Identifier(name))
    for name in COLUMNS
)
_WITHIN = sql.SQL(
    """
    FROM metering_usageevent e
    WHERE e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND e.seq BETWEEN %(first_seq)s AND %(last_seq)s
      AND (%(customer_ids)s::bigint[] IS NULL OR e.customer_id = ANY(%(customer_ids)s::bigint[]))
      AND (%(contract_ids)s::bigint[] IS NULL OR e.contract_id = ANY(%(contract_ids)s::bigint[]))
      AND (%(seqs)s::bigint[] IS NULL OR e.seq = ANY(%(seqs)s::bigint[]))
    """
)
_READ = sql.SQL("SELECT {columns} {within} ORDER BY e.seq").format(columns=_AS_TEXT, within=_WITHIN)
_PAGE = sql.SQL("{read} LIMIT %(limit)s").format(read=_READ)
_COUNT = sql.SQL(
    "SELECT count(*), encode(sha256(coalesce(string_agg(e.fingerprint, ''::bytea ORDER BY e.seq), ''::bytea)), 'hex')"
    " {within}"
).format(within=_WITHIN)
_STAGE = "CREATE TEMPORARY TABLE inserted_usageevent (LIKE metering_usageevent) ON COMMIT DROP"
_INSERT = """
INSERT INTO metering_usageevent SELECT * FROM inserted_usageevent one
WHERE NOT EXISTS (
    SELECT FROM metering_usageevent there WHERE there.seq = one.seq AND there.occurred_at = one.occurred_at
);
DROP TABLE inserted_usageevent;
"""


class PostgresStore:
    """The default."""

    def prepare(self) -> None:
        """Its tables are made by migrations."""

    def clear(self) -> None:
        """Its rows are events that wait to be shipped, or were copied and not removed yet: none is left over."""

    def find_leftovers(self) -> int:
        return 0

    def insert(self, rows: Sequence[Row], *, token: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_STAGE)
            copy_rows([rows], table=sql.Identifier("inserted_usageevent"))
            cursor.execute(_INSERT)

    def count(self, span: Span) -> Counted:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT.as_string(), _values(span))
            (row,) = cursor.fetchall()
        return Counted(*row)

    def read(self, span: Span) -> Iterator[list[Row]]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(_READ.as_string(), _values(span))
            while rows := cursor.fetchmany(FETCH_ROWS):
                yield [plain_row(row) for row in rows]

    def page(self, span: Span, *, limit: int) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(_PAGE.as_string(), _values(span) | {"limit": limit})
            return [plain_row(row) for row in cursor.fetchall()]

    def find_last_seq(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(seq), 0) FROM metering_usageevent")
            ((last,),) = cursor.fetchall()
        return int(last)


def copy_rows(blocks: Iterable[Sequence[Row]], *, table: sql.Composable) -> None:
    """Copy rows in the order of `COLUMNS` into a table of the events' shape."""
    statement = sql.SQL("COPY {table} ({names}) FROM STDIN").format(table=table, names=_NAMES)
    with connection.cursor() as cursor, cursor.copy(statement.as_string()) as copy:
        for rows in blocks:
            for row in rows:
                copy.write_row(row)


def plain_row(row: Sequence[Any]) -> Row:
    """Give a row with its fingerprint as bytes, whatever the driver made of it."""
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def _values(span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "first_seq": span.first_seq,
        "last_seq": span.last_seq,
        "customer_ids": None if span.customer_ids is None else list(span.customer_ids),
        "contract_ids": None if span.contract_ids is None else list(span.contract_ids),
        "seqs": None if span.seqs is None else list(span.seqs),
    }
