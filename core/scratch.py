"""A database of its own for a while: made in the same server, dropped afterwards, and never the live one."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from django.db import ProgrammingError, connection
from django.db.utils import Error
from psycopg import sql

from core import database_copies
from core.database_copies import Server
from core.errors import DomainError

TEMPLATE = "billing_ops_template_"
SCHEMA_WAIT = "10s"
OLD = timedelta(hours=6)
# What a process in a scratch database must not reach: nothing in there may leave this machine.
OUTSIDE = (
    "CLICKHOUSE_URL",
    "CLICKHOUSE_CLUSTER",
    "EMAIL_URL",
    "SLACK_WEBHOOK_URL",
    "STRIPE_API_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "AUDIT_ANCHOR_FILE",
    "BILLING_OPS_WEB",
)


class ScratchRefusedError(DomainError):
    """The server lets this role make no database."""

    code = "scratch_refused"
    http_status = 500


@contextmanager
def scratch_database(*, template: str | None = None, purpose: str = "bench") -> Iterator[dict[str, str]]:
    """Give the environment in which every process works in the scratch database and in no other.

    It is empty, or begins as a copy of the template.
    """
    name = f"billing_ops_{purpose}_{int(datetime.now(UTC).timestamp())}_{secrets.token_hex(4)}"
    copied = sql.SQL("") if template is None else sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    _execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copied)
    try:
        yield environment_of(name)
    finally:
        _execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def environment_of(name: str) -> dict[str, str]:
    """Give the environment of this process, with another database of the same server and nothing that leads outside."""
    inherited = {key: value for key, value in os.environ.items() if key not in OUTSIDE}
    return {
        **inherited,
        **database_copies.libpq_environment(connection.settings_dict | {"NAME": name}),
        "DATABASE_URL": f"postgres:///{name}",  # who, where and how securely is said by the variables of libpq
        # What the live settings ask for beyond the database: nothing that is worked out depends on it.
        "BILLING_OPS_DEVELOPMENT": "true",
        "SECRET_KEY": secrets.token_urlsafe(48),
    }


def drop_forsaken(*, purpose: str) -> None:
    """Drop what killed processes left behind: databases of this purpose that are old and that nobody is in.

    How old they are is told by this machine's clock, which their names hold too, whatever instant a caller works at.
    """
    prefix, now = f"billing_ops_{purpose}_", datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
            " AND NOT EXISTS (SELECT FROM pg_stat_activity activity WHERE activity.datname = pg_database.datname)",
            [prefix],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        made = name.removeprefix(prefix).partition("_")[0]
        if made.isdecimal() and datetime.fromtimestamp(int(made), UTC) < now - OLD:
            with suppress(Error):  # somebody else was quicker
                _execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def find_template(*, state: str) -> str:
    """The name of an empty database with the tables, triggers and functions of the live one; made where it is missing.

    `state` says which: one for each set of applied migrations is kept, and copies of it take a fraction of a second.
    """
    name = f"{TEMPLATE}{state}"
    if not _exists(name):
        _make_template(name)
    return name


def _make_template(name: str) -> None:
    """Made aside and renamed: a template is whole or not there, and of two makers the first wins."""
    _drop_templates(but=name)
    with scratch_database(purpose="template_made") as environment:
        made = environment["PGDATABASE"]
        database_copies.copy_schema(into=made, server=_live_server(), wait=SCHEMA_WAIT)
        try:
            _execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(made), sql.Identifier(name)))
        except Error:
            if not _exists(name):
                raise


def _drop_templates(*, but: str) -> None:
    """Those of earlier states of this installation: whoever copies one right now keeps it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATE])
        names = {name for (name,) in cursor.fetchall() if not name.startswith(f"{TEMPLATE}made_")}
    for name in names - {but}:
        with suppress(Error):
            _execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _live_server() -> Server:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        ((version,),) = cursor.fetchall()
    return Server(settings=connection.settings_dict, major=int(version) // 10_000)


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
        ((found,),) = cursor.fetchall()
    return bool(found)


def _execute(statement: sql.Composable) -> None:
    """On a connection of its own: databases are made and dropped outside of every transaction."""
    apart = connection.copy()
    try:
        with apart.cursor() as cursor:
            cursor.execute(statement.as_string())
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42501":
            role = connection.settings_dict["USER"]
            raise ScratchRefusedError(
                f"The role {role} may not make databases, and this works in one of its own. Have an administrator run:"
                f' ALTER ROLE "{role}" CREATEDB;'
            ) from error
        raise
    finally:
        apart.close()
