"""The stores that every test of this folder runs against; ClickHouse where `./run test-clickhouse` has installed it."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metering.models import Store
from metering.store import chosen, clickhouse
from metering.store.protocol import EventStore
from tests.builders.stores import HAS_CHDB

SERVER = Path(__file__).parent.parent / "builders" / "chdb_server.py"
ANSWERS_WITHIN_SECONDS = 60


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The engine in this process, by the same client as a server."""
    return f"chdb://{tmp_path_factory.mktemp('chdb')}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The engine behind HTTP, as in production."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    folder = tmp_path_factory.mktemp("chdb-server")
    process = subprocess.Popen([sys.executable, str(SERVER), str(port), str(folder)])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


ON_POSTGRESQL = pytest.param(Store.POSTGRES, marks=pytest.mark.on_postgresql)


@pytest.fixture(params=[ON_POSTGRESQL, "embedded", "server"] if HAS_CHDB else [ON_POSTGRESQL])
def store_name(request: pytest.FixtureRequest, transactional_db: None, settings: Any) -> str:
    """The name of an empty store."""
    if request.param == Store.POSTGRES:
        return Store.POSTGRES.value
    settings.CLICKHOUSE_URL = request.getfixturevalue(request.param)
    chosen.store_of(Store.CLICKHOUSE).prepare()
    clickhouse.command("TRUNCATE TABLE usage_event")
    return Store.CLICKHOUSE.value


@pytest.fixture
def store(store_name: str) -> EventStore:
    return chosen.store_of(store_name)
