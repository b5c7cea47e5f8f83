"""Statements with long parameters: bound by the server instead of being pasted into the text, and planned once."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection

PREPARE_AFTER = 5  # psycopg's own default, which Django switches off for the cursors that it makes itself


def fetch_all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement inside Django's transaction and give its rows; errors are Django's."""
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall()


def fetch_first(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Do the same for the reading that a request begins with: a connection that broke since the last one is replaced.

    So nobody need ask before whether it still works, which takes as long as the reading itself.
    """
    if connection.in_atomic_block:
        return fetch_all(statement, parameters)
    try:
        return fetch_all(statement, parameters)
    except (OperationalError, InterfaceError):
        connection.close()
        return fetch_all(statement, parameters)


def run(statement: str, parameters: Sequence[Any]) -> None:
    """Run one statement that gives no rows."""
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(statement, parameters, prepare=True)


def _cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    connection.ensure_connection()
    if connection.connection.prepare_threshold != PREPARE_AFTER:
        # Planning the insert of a delivery takes longer than the insert of one event, and planning it anew for every
        # length of its arrays gives the same plan each time. Only these statements are prepared, so no other is meant.
        connection.connection.prepare_threshold = PREPARE_AFTER
        psycopg.Cursor(connection.connection).execute("SET plan_cache_mode = force_generic_plan")
    return psycopg.Cursor(connection.connection)
