"""Private PostgreSQL clusters for tests of the launcher itself, beside the one that all other tests share."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core import embedded_postgres, postgres_place


@contextmanager
def own_home(monkeypatch: pytest.MonkeyPatch, *, below: Path | None = None) -> Iterator[Path]:
    """Give a home of its own that the server's account can enter; stop what was started there and remove it."""
    top = below or Path(tempfile.mkdtemp(prefix="billing-ops-test-"))
    top.chmod(0o755)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("BILLING_OPS_HOME", str(top))
    try:
        yield top
    finally:
        place = postgres_place.find_place()
        embedded_postgres.stop()
        shutil.rmtree(place.folder, ignore_errors=True)
        shutil.rmtree(place.socket, ignore_errors=True)
        shutil.rmtree(top, ignore_errors=True)


def connect() -> psycopg.Connection[tuple[object, ...]]:
    settings = embedded_postgres.connection_settings()
    return psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"], autocommit=True
    )


def ask(question: str) -> object:
    with connect() as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def run(statement: str) -> None:
    with connect() as connection:
        connection.execute(statement)
