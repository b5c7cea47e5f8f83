"""`./run serve` from an empty home: tables, web and worker, and nothing left after SIGTERM."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import postgres_place
from tests.builders import clusters


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with clusters.own_home(monkeypatch) as folder:
        yield folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def processes_of(home: Path) -> list[str]:
    """The command lines of every process that was started with this home, but for PostgreSQL's."""
    mark = f"BILLING_OPS_HOME={home}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line]


@contextmanager
def served(home: Path, *, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command with its output in a file, as a service manager does."""
    environment = {**os.environ, "PORT": str(port)}
    environment.pop("PYTHONUNBUFFERED", None)
    with (home / "serve.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=postgres_place.CHECKOUT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.nightly  # two minutes, most of them for the tables; the demo's journey makes them from nothing as well
def test_it_serves_pages_and_works_until_it_is_told_to_stop(home: Path) -> None:
    port = free_port()
    log = home / "serve.log"
    deadline = time.monotonic() + 240
    with served(home, port=port) as serving:
        while f"http://localhost:{port}/" not in log.read_text():
            assert serving.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=60) as page:
            assert page.status == 200
        while clusters.ask("SELECT count(*) FROM core_workerheartbeat") == 0:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=60) == 0, log.read_text()
    assert processes_of(home) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
