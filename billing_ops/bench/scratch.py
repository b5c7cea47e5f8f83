"""A database of its own for figures: made in the same server, dropped afterwards, and never the live one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection
from psycopg import sql


@contextmanager
def scratch_database() -> Iterator[dict[str, str]]:
    """Give the environment in which every process works in the scratch database and in no other."""
    name = f"billing_ops_bench_{secrets.token_hex(4)}"
    _execute("CREATE DATABASE {}", name)
    try:
        yield {
            **os.environ,
            "DATABASE_URL": _address(name),
            "PGUSER": connection.settings_dict["USER"],
            "PGPORT": str(connection.settings_dict["PORT"]),
            # What the live settings ask for beyond the database: no figure depends on it.
            "BILLING_OPS_DEVELOPMENT": "true",
            "SECRET_KEY": secrets.token_urlsafe(48),
        }
    finally:
        _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(statement: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)).as_string())


def _address(name: str) -> str:
    """The live database's address with another name; a socket's folder is written into the path."""
    live = connection.settings_dict
    host = live["HOST"]
    if host.startswith("/"):
        return f"postgres:///{host}/{name}"
    account = quote(live["USER"], safe="") + (f":{quote(live['PASSWORD'], safe='')}" if live["PASSWORD"] else "")
    return f"postgres://{account}@{host}:{live['PORT'] or 5432}/{name}"
