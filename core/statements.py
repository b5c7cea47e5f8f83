"""Statements with long parameters: bound by the server instead of being pasted into the text, and planned once."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

PREPARE_AFTER = 5  # psycopg's own default, which Django switches off for the cursors that it makes itself


def fetch_all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement inside Django's transaction and give its rows; errors are Django's."""
    found = connections[DEFAULT_DB_ALIAS]  # itself: each word to the one that stands for it is looked up anew
    with found.wrap_database_errors, _cursor(found) as cursor:
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
    found = connections[DEFAULT_DB_ALIAS]
    with found.wrap_database_errors, _cursor(found) as cursor:
        cursor.execute(statement, parameters, prepare=True)


def _cursor(found: BaseDatabaseWrapper) -> psycopg.Cursor[tuple[Any, ...]]:
    found.ensure_connection()
    opened: psycopg.Connection = found.connection
    if opened.prepare_threshold != PREPARE_AFTER:
        # Planning the insert of a delivery takes longer than the insert of one event, and planning it anew for every
        # length of its arrays gives the same plan each time. Only these statements are prepared, so no other is meant.
        opened.prepare_threshold = PREPARE_AFTER
        psycopg.Cursor(opened).execute("SET plan_cache_mode = force_generic_plan")
    return psycopg.Cursor(opened)
