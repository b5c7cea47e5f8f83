"""How `./run test` divides the tests among the cores: a file at a time, the long ones first."""

import os
from itertools import groupby
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

WORKERS_MAX = 4  # each has a database of its own; more would wait for the one PostgreSQL
# Seconds, as `--durations=0` shows them, of the files that would keep one worker busy after the others have ended.
LONG = {
    "tests/journeys/test_demo.py": 133,
    "tests/concurrency/test_capture_killed.py": 124,
}


def count_workers(config: pytest.Config) -> int:
    """None beside this process for a single file: a second database takes longer than most files."""
    files = {argument.partition("::")[0] for argument in config.args}
    if len(files) == 1 and Path(files.pop()).is_file():
        return 0
    return min(len(os.sched_getaffinity(0)), WORKERS_MAX)


def put_in_order(items: list[pytest.Item]) -> None:
    """What rolls back before what commits, as clearing takes along what migrations wrote; then long files first."""
    items.sort(key=lambda item: (_commits(item), -LONG.get(_file_of(item.nodeid), 0), _file_of(item.nodeid)))


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", [])
    return bool(marker and marker.kwargs.get("transaction")) or not {"transactional_db", "live_server"}.isdisjoint(
        fixtures
    )


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Stretches(LoadScopeScheduling):  # type: ignore[misc]  # no types
    """In the order of the collection, each stretch of tests from one file goes to the next free worker."""

    def schedule(self) -> None:
        """Find the stretches once all workers have said what they collected."""
        collected = next(iter(self.registered_collections.values()))
        self.stretch_of = {
            nodeid: f"{file} ({number})"
            for number, (file, nodeids) in enumerate(groupby(collected, key=_file_of))
            for nodeid in nodeids
        }
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self.stretch_of[nodeid]
