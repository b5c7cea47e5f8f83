"""Eight processes that need the embedded PostgreSQL at the same moment share one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import embedded_postgres
from tests.builders import clusters

PROCESSES = 8
CONNECT = (
    "from core import embedded_postgres as e; from tests.builders import clusters; "
    "sys.stdin.read(); e.ensure(); print(clusters.ask('SELECT 1'), e.status().pid, e.local_secret_key())"
)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with clusters.own_home(monkeypatch) as folder:
        yield folder


def start_together() -> list[str]:
    """Start real processes that wait for one signal, and give what each printed."""
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", f"import sys; {CONNECT}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in crowd:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    return [process.communicate(timeout=60)[0].strip() for process in crowd]


def test_eight_first_starts_at_once_make_one_server_and_one_key(home: Path) -> None:
    answers = start_together()
    pid = embedded_postgres.status().pid
    assert answers == [f"1 {pid} {embedded_postgres.local_secret_key()}"] * PROCESSES


def test_eight_at_once_recover_a_killed_server(home: Path) -> None:
    embedded_postgres.ensure()
    clusters.run("CREATE TABLE kept AS SELECT 7 AS n")
    killed = embedded_postgres.status().pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    answers = start_together()
    assert len(set(answers)) == 1
    assert embedded_postgres.status().pid != killed
    assert clusters.ask("SELECT n FROM kept") == 7
