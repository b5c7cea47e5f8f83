"""Statements with long parameters: bound by the server instead of being pasted into the text, and planned once."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

PREPARE_AFTER = 5  # psycopg's own default, which Django switches off for the cursors that it makes itself


def fetch_all(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement inside Django's transaction and give its rows; errors are Django's."""
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall()


def run(statement: str, parameters: Sequence[Any]) -> None:
    """Run one statement that gives no rows."""
    with connection.wrap_database_errors, _cursor() as cursor:
        cursor.execute(statement, parameters, prepare=True)


def _cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    connection.ensure_connection()
    # Planning the insert of a delivery takes longer than the insert of one event.
    connection.connection.prepare_threshold = PREPARE_AFTER
    return psycopg.Cursor(connection.connection)
