"""The ClickHouse store: one wide table sorted by customer, on a server, a cluster, or chDB in tests.

A block is sent with a token that ClickHouse remembers, and a row that came twice is one row (ReplacingMergeTree, read
with FINAL). Neither is trusted: whoever ships counts afterwards.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import structlog
from django.conf import settings

from core.errors import DomainError
from metering.store import clickhouse_tables
from metering.store.clickhouse_tables import TABLE
from metering.store.protocol import COLUMNS, Counted, Row, Span

READ_ROWS = 20_000
SAID_MAX = 300
_NAMES = ", ".join(COLUMNS)
_WITHIN = f"""
FROM {TABLE} FINAL
WHERE occurred_at >= {{start:DateTime64(6, 'UTC')}} AND occurred_at < {{end:DateTime64(6, 'UTC')}}
  AND seq BETWEEN {{first_seq:Int64}} AND {{last_seq:Int64}}
  AND ({{all_customers:Bool}} OR has({{customer_ids:Array(Int64)}}, customer_id))
  AND ({{all_contracts:Bool}} OR has({{contract_ids:Array(Int64)}}, contract_id))
  AND ({{all_seqs:Bool}} OR has({{seqs:Array(Int64)}}, seq))
"""
_READ = f"SELECT {_NAMES} {_WITHIN} ORDER BY seq LIMIT {{limit:UInt32}}"
_COUNT = f"""
SELECT count(), lower(hex(SHA256(arrayStringConcat(arrayMap(
    each -> unhex(tupleElement(each, 2)), arraySort(each -> tupleElement(each, 1), groupArray((seq, fingerprint)))
)))))
{_WITHIN}
"""
_local = threading.local()
log = structlog.get_logger(__name__)


class ClickHouseUnreachableError(DomainError):
    """The store of raw events cannot be asked; nothing is lost, and nothing can be counted until it can."""

    code = "clickhouse_unreachable"
    http_status = 503


class ClickHouseStore:
    """Raw events past one machine."""

    def prepare(self) -> None:
        for statement in clickhouse_tables.statements(cluster=settings.CLICKHOUSE_CLUSTER):
            command(statement)

    def clear(self) -> None:
        command(clickhouse_tables.clearing(cluster=settings.CLICKHOUSE_CLUSTER))

    def find_leftovers(self) -> int:
        return self.find_last_seq()

    def insert(self, rows: Sequence[Row], *, token: str) -> None:
        columns = [list(column) for column in zip(*(_sent(row) for row in rows), strict=True)]
        with _asking() as client:
            client.insert(
                TABLE,
                columns,
                column_names=list(COLUMNS),
                column_type_names=list(clickhouse_tables.TYPES),
                column_oriented=True,
                settings=clickhouse_tables.insert_settings(cluster=settings.CLICKHOUSE_CLUSTER)
                | {"insert_deduplication_token": token},
            )

    def count(self, span: Span) -> Counted:
        (row,) = ask(_COUNT, **_values(span))
        return Counted(int(row[0]), str(row[1]))

    def read(self, span: Span) -> Iterator[list[Row]]:
        """Page by number: a reader that stops, or a server that restarts, leaves nothing open."""
        after = span.first_seq
        while rows := self._rows(span, first_seq=after, limit=READ_ROWS):
            yield rows
            after = rows[-1][0] + 1

    def page(self, span: Span, *, limit: int) -> list[Row]:
        return self._rows(span, first_seq=span.first_seq, limit=limit)

    def find_last_seq(self) -> int:
        (row,) = ask(f"SELECT max(seq) FROM {TABLE}")  # noqa: S608  a name of our own
        return int(row[0])

    def _rows(self, span: Span, *, first_seq: int, limit: int) -> list[Row]:
        values = _values(span) | {"first_seq": first_seq, "limit": limit}
        return [_received(row) for row in ask(_READ, **values)]


def ask(question: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Give the rows that answer a question with `{name:Type}` in it."""
    with _asking() as client:
        wanted = clickhouse_tables.read_settings(cluster=settings.CLICKHOUSE_CLUSTER)
        return list(client.query(question, parameters=parameters, settings=wanted).result_rows)


def command(statement: str) -> None:
    """Run a statement that gives no rows."""
    with _asking() as client:
        client.command(statement)


@contextmanager
def _asking() -> Iterator[Any]:
    """A client; what it cannot do is said in one sentence, and the next question tries a new connection."""
    client = _client()
    from clickhouse_connect.driver.exceptions import DatabaseError, Error, OperationalError  # noqa: PLC0415  an extra

    try:
        yield client
    except Error as error:
        _local.owner = None
        refused = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
        said = " ".join(str(error).split())[:SAID_MAX]
        log.exception("clickhouse_failed")
        raise ClickHouseUnreachableError(
            f"ClickHouse answers with an error: {said}" if refused else f"ClickHouse does not answer now: {said}"
        ) from error


def _client() -> Any:
    """One client for each thread of each process: a forked one must not share a connection."""
    url = settings.CLICKHOUSE_URL
    if getattr(_local, "owner", None) != (os.getpid(), url):
        _local.client, _local.owner = _connect(url), (os.getpid(), url)
    return _local.client


def _connect(url: str) -> Any:
    if not url:
        raise ClickHouseUnreachableError("Raw events live in ClickHouse; set CLICKHOUSE_URL to where it is.")
    try:
        import clickhouse_connect  # noqa: PLC0415  an extra: only an installation with ClickHouse has it
        from clickhouse_connect.driver.exceptions import Error  # noqa: PLC0415  as above
    except ImportError as error:
        raise ClickHouseUnreachableError(
            "CLICKHOUSE_URL is set and clickhouse-connect is not installed: pip install 'billing-ops[clickhouse]'."
        ) from error
    try:
        return clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    except Error as error:
        raise ClickHouseUnreachableError(f"ClickHouse does not answer at CLICKHOUSE_URL: {error}") from error


def _sent(row: Row) -> Row:
    return tuple(value.hex() if isinstance(value, bytes) else value for value in row)


def _received(row: Sequence[Any]) -> Row:
    named = dict(zip(COLUMNS, row, strict=True))
    named["fingerprint"] = bytes.fromhex(named["fingerprint"])
    for name in ("occurred_at", "received_at"):
        at = named[name]
        named[name] = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return tuple(named.values())


def _values(span: Span) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "first_seq": span.first_seq,
        "last_seq": span.last_seq,
        "all_customers": span.customer_ids is None,
        "customer_ids": list(span.customer_ids or ()),
        "all_contracts": span.contract_ids is None,
        "contract_ids": list(span.contract_ids or ()),
        "all_seqs": span.seqs is None,
        "seqs": list(span.seqs or ()),
    }
