"""`manage.py db`, run as a person runs it, against a cluster of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import embedded_postgres, postgres_place
from tests.builders import clusters


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with clusters.own_home(monkeypatch) as folder:
        yield folder


def db(*arguments: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "db", *arguments],
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        cwd=postgres_place.CHECKOUT,
        env={**os.environ, **environment},
    )


def test_it_starts_shows_and_stops_the_server(home: Path) -> None:
    assert db("status").returncode == 1
    assert "running, pid" in db("start").stdout
    assert db("stop").stdout == "stopped\n"
    assert db("stop").stdout == "was not running\n"


def test_it_copies_the_database_and_asks_before_it_replaces_it(home: Path) -> None:
    embedded_postgres.ensure()
    file = str(home / "copy.dump")
    assert db("backup", file).returncode == 0
    clusters.run("CREATE TABLE made_later (id int)")
    assert "nothing was changed" in db("restore", file, answer="no\n").stderr
    assert clusters.ask("SELECT to_regclass('made_later')::text") == "made_later"
    assert db("restore", file, answer="yes\n").returncode == 0
    assert clusters.ask("SELECT to_regclass('made_later')") is None


def test_a_server_of_ones_own_is_copied_but_never_stopped(home: Path) -> None:
    embedded_postgres.ensure()
    socket = embedded_postgres.connection_settings()["HOST"]
    own = {"DATABASE_URL": f"postgres://billing@:5432/{socket}/billing_ops", "SECRET_KEY": "k" * 50}
    assert "not ours" in db("stop", **own).stderr
    result = db("backup", str(home / "copy.dump"), **own)
    assert (result.returncode, result.stderr) == (0, "")
    assert (home / "copy.dump").stat().st_size > 500
