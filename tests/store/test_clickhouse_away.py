"""A ClickHouse that has gone is said in one sentence, and the next question finds it again."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metering.store import clickhouse
from metering.store.clickhouse import ClickHouseUnreachableError
from tests.builders.stores import needs_chdb
from tests.store.conftest import SERVER

pytestmark = needs_chdb


def start(port: int, folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, str(SERVER), str(port), str(folder)])
    deadline = time.monotonic() + 60
    while not listens(port):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_that_was_killed_is_away_until_it_is_back(tmp_path: Path, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    settings.CLICKHOUSE_URL = f"http://127.0.0.1:{port}"
    process = start(port, tmp_path)
    try:
        assert clickhouse.ask("SELECT 1") == [(1,)]
        with pytest.raises(ClickHouseUnreachableError, match="answers with an error"):
            clickhouse.ask("SELECT 1 FROM nowhere")
        process.kill()
        process.wait()
        with pytest.raises(ClickHouseUnreachableError, match="does not answer"):
            clickhouse.ask("SELECT 1")
        process = start(port, tmp_path)
        assert clickhouse.ask("SELECT 1") == [(1,)]
    finally:
        process.kill()
        process.wait()
