"""Web and worker live and die with their parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from billing_ops import processes
from billing_ops.processes import ProcessError

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
PATIENT = "import time; time.sleep(60)"


def start(script: str, log: Path | None = None) -> processes.Child:
    return processes.start("child", ["-c", script], log=log, environment={})


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_child_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS_MAX", 0.3)
    child = start(STUBBORN, log=tmp_path / "log")
    while not (tmp_path / "log").read_text():
        time.sleep(0.02)
    processes.stop([child])
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_dies_stops_the_others_and_is_named() -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    short, long = start("raise SystemExit(3)"), start(PATIENT)
    try:
        with pytest.raises(ProcessError, match="the child process ended by itself with code 3"):
            processes.wait_for_end([short, long])
    finally:
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])
    assert long.process.returncode == -signal.SIGTERM


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "from billing_ops import processes; import time;"
        f"print(processes.start('child', ['-c', {PATIENT!r}], log=None, environment={{}}).process.pid, flush=True);"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.communicate()
    wait_until_gone(child)


def test_a_taken_port_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ProcessError, match=f"port {port} is taken"):
            processes.start_web(port=port)


def test_a_web_server_that_cannot_start_is_an_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://somewhere/else")
    monkeypatch.setenv("SECRET_KEY", "k" * 50)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(ProcessError, match="ended with code"):
        processes.start_web(port=port, log=tmp_path / "web.log")
    assert "DATABASE_URL must name a PostgreSQL database" in (tmp_path / "web.log").read_text()
    processes.require_free_port(port)


def test_a_port_that_is_no_number_is_refused_in_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        env={**os.environ, "PORT": "80000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "CommandError: PORT is '80000'; set it to a number from 1 to 65535\n"
