"""A worker as its own processes, on the database of a test, with the chores installed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from core.models import WorkerHeartbeat

NAME = "under test"


class Worker:
    """A `manage.py worker` on the test database."""

    def __init__(self, notes: Path, **more: str) -> None:
        self.notes = notes
        environment = {
            "BILLING_OPS_WORKER": NAME,
            "CHORES_DATABASE": str(connection.settings_dict["NAME"]),
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "tests.builders.chores.settings",
            "CHORES_FILE": str(notes),
            "AUDIT_ANCHOR_FILE": "",
            **more,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=settings.BASE_DIR, env={**os.environ, **environment}
        )

    def lines(self) -> list[str]:
        return self.notes.read_text(encoding="utf-8").splitlines() if self.notes.exists() else []

    def children(self) -> list[int]:
        """Every process below the supervisor, by the parents that the kernel names."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                after_name = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:  # it ended while we looked
                continue
            if after_name[0] != "Z":
                parents[int(stat.parent.name)] = int(after_name[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]


def wait_for(claim: Callable[[], bool], *, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def at_work(notes: Path, **more: str) -> Iterator[Worker]:
    """A worker that does its rounds; whatever is left of it ends with the block."""
    started = Worker(notes, **more)
    try:
        wait_for(lambda: WorkerHeartbeat.objects.filter(name=NAME).exists(), seconds=60)
        yield started
    finally:
        started.process.kill()
        started.process.wait()
