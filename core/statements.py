"""Statements with long parameters: bound by the server instead of being pasted into the text, and planned once."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

PREPARE_AFTER = 5  # psycopg's own default, which Django switches off for the cursors that it makes itself
STATEMENTS_KEPT = 64
Rows = list[tuple[Any, ...]]
_prepared: WeakKeyDictionary[psycopg.Connection, dict[tuple[str, tuple[int, ...]], bytes]] = WeakKeyDictionary()


def fetch_all(statement: str, parameters: Sequence[Any]) -> Rows:
    """Run one statement inside Django's transaction and give its rows; errors are Django's."""
    found = connections[DEFAULT_DB_ALIAS]  # itself: each word to the one that stands for it is looked up anew
    with found.wrap_database_errors, _cursor(found) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall()


def fetch_soon(statement: str, parameters: Sequence[Any]) -> Rows:
    """Do the same for a statement that is answered at once, in half of the processor time of a cursor.

    Until the answer comes nothing interrupts this thread, so it is for small statements that many wait for. Inside a
    transaction, which a cursor of the driver begins, it is `fetch_all`.
    """
    found = connections[DEFAULT_DB_ALIAS]
    if found.in_atomic_block:
        return fetch_all(statement, parameters)
    with found.wrap_database_errors:
        return _execute_soon(_open(found), statement, parameters)


def fetch_first(statement: str, parameters: Sequence[Any]) -> Rows:
    """Do so for the reading that a request begins with: a connection that broke since the last one is replaced.

    So nobody need ask before whether it still works, which takes as long as the reading itself.
    """
    if connection.in_atomic_block:
        return fetch_all(statement, parameters)
    try:
        return fetch_soon(statement, parameters)
    except (OperationalError, InterfaceError):
        connection.close()
        return fetch_soon(statement, parameters)


def run(statement: str, parameters: Sequence[Any]) -> None:
    """Run one statement that gives no rows."""
    found = connections[DEFAULT_DB_ALIAS]
    with found.wrap_database_errors, _cursor(found) as cursor:
        cursor.execute(statement, parameters, prepare=True)


def _cursor(found: BaseDatabaseWrapper) -> psycopg.Cursor[tuple[Any, ...]]:
    return psycopg.Cursor(_open(found))


def _open(found: BaseDatabaseWrapper) -> psycopg.Connection:
    found.ensure_connection()
    opened: psycopg.Connection = found.connection
    if opened.prepare_threshold != PREPARE_AFTER:
        # Planning the insert of a delivery takes longer than the insert of one event, and planning it anew for every
        # length of its arrays gives the same plan each time. Only these statements are prepared, so no other is meant.
        opened.prepare_threshold = PREPARE_AFTER
        psycopg.Cursor(opened).execute("SET plan_cache_mode = force_generic_plan")
    return opened


def _execute_soon(opened: psycopg.Connection, statement: str, parameters: Sequence[Any]) -> Rows:
    adapted = Transformer(opened)
    values: Any = adapted.dump_sequence(parameters, list(repeat(PyFormat.AUTO, len(parameters))))
    types = tuple(adapted.types or ())

    def execute() -> PGresult:
        return opened.pgconn.exec_prepared(_name_of(opened, statement, types), values, adapted.formats)

    try:
        result = _checked(opened, execute)
    except psycopg.errors.InvalidSqlStatementName:  # after a rollback the driver has all statements forgotten
        _prepared.pop(opened)
        result = _checked(opened, execute)
    adapted.set_pgresult(result)
    return adapted.load_rows(0, result.ntuples, tuple)


def _name_of(opened: psycopg.Connection, statement: str, types: tuple[int, ...]) -> bytes:
    """Give the name under which this connection knows the statement, with parameters of these types."""
    names = _prepared.setdefault(opened, {})
    name = names.get((statement, types))
    if name is None:
        name = b"billing_ops_%d" % len(names)
        _checked(opened, lambda: opened.pgconn.prepare(name, _numbered(statement), types))
        names[statement, types] = name
    return name


def _checked(opened: psycopg.Connection, execute: Callable[[], PGresult]) -> PGresult:
    result = execute()
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if opened.pgconn.status == ConnStatus.BAD:  # which has no code of its own
        raise psycopg.OperationalError(opened.pgconn.get_error_message())
    raise psycopg.errors.error_from_result(result, opened.info.encoding)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _numbered(statement: str) -> bytes:
    """Write `%s` as PostgreSQL does, by number."""
    first, *rest = statement.split("%s")
    return (first + "".join(f"${number}{text}" for number, text in enumerate(rest, start=1))).encode()
