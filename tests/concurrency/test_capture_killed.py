"""Web, worker and PostgreSQL are killed while usage comes in by HTTP; the sender repeats what was not answered."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest

from billing_ops import processes
from billing_ops.processes import Child
from core import embedded_postgres, postgres_place
from tests.builders import clusters

SENDERS = 4
PATIENCE_SECONDS = 120
SEED = """
import django
django.setup()
from tests.builders import usage
usage.house()
print(usage.api_key())
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with clusters.own_home(monkeypatch) as folder:
        yield folder


def manage(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=postgres_place.CHECKOUT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def batches_of(events: int, *, size: int) -> list[bytes]:
    """A tenth of each batch stood in the one before."""
    fresh = [
        [
            {
                "specversion": "1.0",
                "id": f"e{number}",
                "source": "api/eu",
                "type": "llm.tokens",
                "subject": "acme",
                "time": f"2026-03-{1 + number % 28:02}T11:00:00Z",
                "data": {"input_tokens": number, "output_tokens": 1},
            }
            for number in range(start, min(start + size, events))
        ]
        for start in range(0, events, size)
    ]
    again = [fresh[0][:0], *(batch[: max(1, size // 10)] for batch in fresh[:-1])]
    return [json.dumps([*old, *new]).encode() for old, new in zip(again, fresh, strict=True)]


@dataclass
class Installation:
    """A web server and a worker over a PostgreSQL of their own, all of which can die and come back."""

    home: Path
    key: str
    port: int
    children: dict[str, Child] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str) -> None:
        log = self.home / f"{name}.log"
        if name == "web":
            self.children[name] = processes.start_web(port=self.port, log=log)
        else:
            self.children[name] = processes.start_worker(log=log)

    def kill(self, name: str) -> None:
        """With everything that belongs to it; then it is started as a service manager would."""
        if name == "postgres":
            pid = embedded_postgres.status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            embedded_postgres.ensure()
            return
        child = self.children[name]
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._starts(name):  # its children hold the port for a moment
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _starts(self, name: str) -> bool:
        try:
            self.start(name)
        except processes.ProcessError:
            return False
        return True

    def send(self, body: bytes) -> bool:
        """Post a batch; False where nobody knows what became of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/events", body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status >= 500:
            return False
        assert answer.status == 200, said
        assert json.loads(said)["quarantined"] == 0, said
        return True


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    manage("manage.py", "migrate", "--verbosity=0")
    key = manage("-c", SEED).split()[-1]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    running = Installation(home, key, port)
    try:
        running.start("web")
        running.start("worker")
        yield running
    finally:
        processes.stop(list(running.children.values()))


def send_until_answered(installation: Installation, body: bytes, answered: threading.Semaphore) -> None:
    while not installation.send(body):
        assert not installation.is_over.wait(0.05), "given up"
    answered.release()


def capture_under_fire(installation: Installation, *, events: int, size: int, kills: int) -> None:
    """Kill one after the other of the three, each time when some more batches were answered."""
    bodies = batches_of(events, size=size)
    assert len(bodies) > kills
    answered = threading.Semaphore(0)
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(send_until_answered, installation, body, answered) for body in bodies]
        try:
            for _number, name in zip(range(kills), cycle(["web", "postgres", "worker"]), strict=False):
                for _batch in range(len(bodies) // (kills + 1)):
                    assert answered.acquire(timeout=PATIENCE_SECONDS)
                installation.kill(name)
            for each in sent:
                each.result(PATIENCE_SECONDS)
        finally:
            installation.is_over.set()
    assert clusters.ask("SELECT count(*) FROM metering_usageevent") == events
    assert clusters.ask("SELECT count(DISTINCT event_id) FROM metering_usageevent") == events
    assert clusters.ask("SELECT sum((data ->> 'input_tokens')::int) FROM metering_usageevent") == sum(range(events))
    assert clusters.ask("SELECT count(*) FROM metering_eventkey") == events
    assert clusters.ask("SELECT sum(accepted) FROM metering_capturebatch") == events
    assert int(str(clusters.ask("SELECT sum(duplicates) FROM metering_capturebatch"))) >= (len(bodies) - 1) * (
        size // 10
    )
    manage("manage.py", "check_invariants")


def test_five_kills_lose_and_double_nothing(installation: Installation) -> None:
    capture_under_fire(installation, events=3_000, size=50, kills=5)


@pytest.mark.nightly
def test_fifty_kills_lose_and_double_nothing(installation: Installation) -> None:
    capture_under_fire(installation, events=100_000, size=500, kills=50)
