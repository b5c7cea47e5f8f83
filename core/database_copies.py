"""Backup and restore of the whole database with PostgreSQL's own tools."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from core import postgres_place
from core.errors import DomainError

LOCK_WAIT = "30s"
EMPTY_SCHEMA = "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner"


@dataclass(frozen=True)
class Server:
    """Which database is meant, as Django names it, and the major version that answers there."""

    settings: dict[str, Any]
    major: int


def configured_server() -> Server:
    """The server and database that this process works in."""
    connection.ensure_connection()
    major = connection.connection.info.server_version // 10_000
    return Server(settings=connection.settings_dict, major=major)


class DatabaseCopyError(DomainError):
    """PostgreSQL's tool is missing or refused; the sentence carries its own words."""

    code = "database_copy"
    http_status = 500


def backup_database(*, file: Path, server: Server) -> int:
    """Write one consistent copy while work goes on, and give its size in bytes; a broken copy never gets the name."""
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)  # a backup holds everything that the database holds
    try:
        run_tool("pg_dump", "--format=custom", f"--file={partial}", server=server)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def restore_database(*, file: Path, server: Server) -> None:
    """Replace everything in the database by the copy, in one transaction: it is restored whole or not at all."""
    if not file.is_file():
        raise DatabaseCopyError(f"{file} is no file")
    script = file.with_name(f"{file.name}.restoring.sql")
    script.touch(mode=0o600)
    try:
        run_tool("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file), server=server)
        steps = ["--command", f"SET lock_timeout = '{LOCK_WAIT}'", "--command", EMPTY_SCHEMA, "--file", str(script)]
        quiet = ["--no-psqlrc", "--quiet", "--output", os.devnull]
        run_tool("psql", *quiet, "--single-transaction", "--set", "ON_ERROR_STOP=1", *steps, server=server)
    finally:
        script.unlink()


def copy_schema(*, into: str, server: Server, wait: str) -> None:
    """Make every table, function and trigger of this database in another, empty one of the same server, without a row.

    A lock that somebody holds on a table for longer than `wait` ends it with an error.
    """
    with tempfile.NamedTemporaryFile(suffix=".sql") as script:
        form = ["--schema-only", "--no-owner", "--no-privileges", f"--lock-wait-timeout={wait}"]
        run_tool("pg_dump", *form, f"--file={script.name}", server=server)
        other = Server(settings={**server.settings, "NAME": into}, major=server.major)
        quiet = ["--no-psqlrc", "--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1"]
        run_tool("psql", *quiet, "--single-transaction", "--file", script.name, server=other)


def run_tool(program: str, *arguments: str, server: Server) -> None:
    """Run one tool; the password travels in the environment, where other users cannot read it."""
    command = [tool(program, server_major=server.major), *arguments]
    environment = {**os.environ, **libpq_environment(server.settings)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0:
        raise DatabaseCopyError(f"{program} failed: {result.stderr.strip()}")


def tool(program: str, *, server_major: int) -> str:
    """Prefer the machine's own tool, which can speak TLS, unless the server is newer than it; ours is of version 18."""
    own = shutil.which(program) if "DATABASE_URL" in os.environ else None
    if own and major_version(own) >= server_major:
        return own
    return str(postgres_place.wheel_folder() / "pginstall18" / "bin" / program)


def major_version(program: str) -> int:
    """Read the 15 of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(answer.split(")")[1].split(".")[0])


def libpq_environment(settings: dict[str, Any]) -> dict[str, str]:
    """Translate Django's connection settings into the variables that PostgreSQL's tools read."""
    options = settings.get("OPTIONS", {})
    named = {
        "PGHOST": settings.get("HOST"),
        "PGPORT": settings.get("PORT"),
        "PGUSER": settings.get("USER"),
        "PGPASSWORD": settings.get("PASSWORD"),
        "PGDATABASE": settings["NAME"],
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
    }
    return {name: str(value) for name, value in named.items() if value}
