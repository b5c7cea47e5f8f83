"""Changes the database as nobody may: triggers off, constraints dropped. For tests of what must notice."""

import pgtrigger
from django.db import connection


def tamper(statements: str) -> None:
    """Run the SQL inside the test's transaction, which is rolled back."""
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit happens before
        cursor.execute(statements)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
