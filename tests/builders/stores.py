"""Whether the engine of the other store is here, and who keeps months where they are."""

import importlib.util

import pytest
from django.db import connection

from core.locks import LockClass

HAS_CHDB = importlib.util.find_spec("chdb") is not None and importlib.util.find_spec("clickhouse_connect") is not None
needs_chdb = pytest.mark.skipif(not HAS_CHDB, reason="ClickHouse's engine is not here: ./run test-clickhouse")


def months_kept_in_place() -> int:
    """Count the holders of the lock in this test's database; a neighbour's are in another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [LockClass.ARCHIVE],
        )
        count: int = cursor.fetchone()[0]
    return count
