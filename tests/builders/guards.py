"""Asks PostgreSQL itself whether a statement is refused, at once or at commit."""

from collections.abc import Sequence

from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django.db.models import Model


def refuses(sql: str, parameters: Sequence[int] = ()) -> bool:
    """Run it on a savepoint, with the checks of a commit; True if a constraint or trigger said no."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the test did before is checked before
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (IntegrityError, InternalError, ProgrammingError):
        return True
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return False


def keeps_its_rows(model: type[Model]) -> bool:
    """No row of this table can be deleted, one by one or all together."""
    table = model._meta.db_table
    return refuses(f"DELETE FROM {table}") and refuses(f"TRUNCATE {table} CASCADE")  # noqa: S608  a model's own name
