"""The web server and the worker as child processes, started and stopped together by ./run serve and the demo."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from core.errors import DomainError
from core.processes import die_with_parent

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30


class ProcessError(DomainError):
    """A child process could not be started or has died; the sentence says which."""

    code = "process"
    http_status = 503


@dataclass(frozen=True)
class Child:
    """One child in a session of its own: Ctrl-C reaches only the parent, which stops the children in order."""

    name: str
    process: subprocess.Popen[bytes]


def start_web(*, port: int, log: Path | None = None, application: str = "billing_ops.wsgi") -> Child:
    """Start the web server on 127.0.0.1 and return once it answers; its output goes to `log`, or to ours."""
    require_free_port(port)
    command = ["-m", "gunicorn", "-c", "python:billing_ops.web_server", application]
    child = start("web", command, log=log, environment={"PORT": str(port)})
    try:
        wait_until_it_answers(child, port=port)
    except ProcessError:
        stop([child])
        raise
    return child


def start_worker(*, log: Path | None = None) -> Child:
    """Start the supervisor of background work; its output goes to `log`, or to ours."""
    environment = {"BILLING_OPS_PROCESS": "billing-ops-worker"}
    return start("worker", ["manage.py", "worker"], log=log, environment=environment)


def stop(children: Sequence[Child]) -> None:
    """Ask all to finish what they do, and kill what has not ended in time."""
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS_MAX
    for child in children:
        try:
            child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


def wait_for_end(children: Sequence[Child]) -> None:
    """Wait until Ctrl-C or SIGTERM, then stop all; the death of one child stops the others and is an error."""
    is_asked_to_stop = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_asked_to_stop
        is_asked_to_stop = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    dead = None
    while not is_asked_to_stop and dead is None:
        time.sleep(0.2)
        dead = next((child for child in children if child.process.poll() is not None), None)
    stop(children)
    if dead:
        raise ProcessError(f"the {dead.name} process ended by itself with code {dead.process.returncode}")


def start(name: str, command: Sequence[str], *, log: Path | None, environment: dict[str, str]) -> Child:
    output = log.open("ab") if log else None
    parent = os.getpid()
    try:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509  one prctl call, which takes no lock
        )
    finally:
        if output:
            output.close()
    return Child(name=name, process=process)


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ProcessError(f"port {port} is taken ({error.strerror}); set PORT to another") from error


def wait_until_it_answers(child: Child, *, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if child.process.poll() is not None:
            raise ProcessError(
                f"the {child.name} process ended with code {child.process.returncode} before it answered"
            )
        if answers(port):
            return
        time.sleep(0.1)
    raise ProcessError(f"the {child.name} process did not answer on port {port} within {START_SECONDS_MAX} seconds")


def answers(port: int) -> bool:
    """Say whether anything speaks HTTP there; any status will do."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
