"""A private PostgreSQL 18 under BILLING_OPS_HOME: started on first use, survives its starter, has no network port."""

import fcntl
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from core import postgres_place, postgres_tuning
from core.postgres_place import EmbeddedPostgresError, Place

USER = "billing"
DATABASE = "billing_ops"
PORT = "5432"  # only names the socket file; nothing listens on TCP
RECOVERY_SECONDS_MAX = 600  # replaying a large write-ahead log, or writing out large buffers, takes minutes
ORPHAN_SECONDS_MAX = 5.0


@dataclass(frozen=True)
class Status:
    """What `manage.py db status` shows."""

    is_running: bool
    pid: int | None
    data: Path
    socket: Path


def connection_settings() -> dict[str, str]:
    """Give HOST, PORT, USER and NAME for Django's DATABASES; starts nothing."""
    with stopping_with_one_line():
        host = str(postgres_place.find_place().socket)
    return {"HOST": host, "PORT": PORT, "USER": USER, "NAME": DATABASE}


def ensure_configured() -> None:
    """Bring the embedded database up unless DATABASE_URL names another; stop with one line where that fails."""
    if "DATABASE_URL" not in os.environ:
        with stopping_with_one_line(), postgres_place.explaining_refusals():
            ensure()


@contextmanager
def stopping_with_one_line() -> Iterator[None]:
    """Settings and start-up have no door above them: what stands in the way is printed, not traced."""
    try:
        yield
    except EmbeddedPostgresError as error:
        sys.exit(f"billing-ops: {error.message}")


def ensure() -> None:
    """Return once the server accepts connections, however many processes ask at the same moment."""
    place = postgres_place.find_place()
    if is_ready(place):
        return
    postgres_place.make_place(place)
    with exclusively(place):
        if not place.data.exists():
            initialize(place)
        postgres_place.require_private_folder(place.data, place.account)
        if not becomes_ready(place):
            if running_pid(place):  # alive but out of reach, as when its socket was deleted
                run_pg_ctl(place, "stop", "-m", "fast")
            start(place)


def stop() -> bool:
    """Stop the server cleanly; say whether there was one to stop."""
    place = postgres_place.find_place()
    if not place.folder.exists():
        return False
    with exclusively(place):
        if running_pid(place) is None:
            return False
        run_pg_ctl(place, "stop", "-m", "fast")
    return True


def status() -> Status:
    """Look without touching."""
    place = postgres_place.find_place()
    return Status(is_running=is_ready(place), pid=running_pid(place), data=place.data, socket=place.socket)


def local_secret_key() -> str:
    """Read this installation's secret key, made once and readable by its owner alone."""
    path = postgres_place.home() / "secret_key"
    with stopping_with_one_line(), postgres_place.explaining_refusals():
        if not path.exists():
            make_secret_key(path)
        return path.read_text()


def make_secret_key(path: Path) -> None:
    """Write it whole beside its place first: of several makers at once, the first to link it wins."""
    postgres_place.make_open_folder(path.parent)
    draft = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


@contextmanager
def exclusively(place: Place) -> Iterator[None]:
    """Hold the cluster's lock; the kernel frees it when its holder dies."""
    try:
        file = place.lock.open("a")
    except PermissionError as error:
        message = f"{place.folder} belongs to another user; run as that user, or set BILLING_OPS_HOME"
        raise EmbeddedPostgresError(message) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ping(place: Place) -> pq.Ping:
    """Ask the server itself: a pid that exists proves nothing."""
    if not place.socket.exists():
        return pq.Ping.NO_RESPONSE
    postgres_place.require_private_folder(place.socket, place.account)
    address = make_conninfo(host=str(place.socket), port=PORT, user=USER, dbname=DATABASE, connect_timeout=5)
    return pq.Ping(pq.PGconn.ping(address.encode()))


def is_ready(place: Place) -> bool:
    return ping(place) == pq.Ping.OK


def becomes_ready(place: Place) -> bool:
    """Wait while a server starts, recovers or shuts down; give up when it is gone or cannot be reached."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while running_pid(place) and time.monotonic() < deadline:
        answer = ping(place)
        if answer == pq.Ping.OK:
            return True
        if answer != pq.Ping.REJECT and "ready" in lines_of(place.data / "postmaster.pid")[-1:]:
            return False
        time.sleep(0.05)
    return False


def initialize(place: Place) -> None:
    """Make the cluster and its database aside, then move it into place: a start that died half-way leaves nothing."""
    partial = place.folder / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    postgres_place.make_private_folder(partial, place.account)
    options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--data-checksums", "--no-instructions"]
    collation = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # upper() and lower() beyond ASCII
    run(place, "initdb", f"--username={USER}", *options, *collation, "-D", str(partial))
    statement = f"CREATE DATABASE {DATABASE}"
    run(place, "postgres", "--single", "-D", str(partial), "postgres", given=statement)
    partial.rename(place.data)


def start(place: Place) -> None:
    postgres_place.make_private_folder(place.socket, place.account)
    clear_remains(place)
    run_pg_ctl(place, "start", "-l", str(place.log), "-o", server_options(place))


def server_options(place: Place) -> str:
    tuned = postgres_tuning.tuned_settings(
        memory_bytes=postgres_tuning.memory_of_machine(),
        free_disk_bytes=shutil.disk_usage(place.folder).free,
    )
    fixed = {
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": str(place.socket).replace(",", r"\,"),
        "cluster_name": place.mark,
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
    return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in {**fixed, **tuned}.items())


def clear_remains(place: Place) -> None:
    """Wait for children that outlived a killed server, then drop lock files that name nobody or a stranger."""
    deadline = time.monotonic() + ORPHAN_SECONDS_MAX
    while orphans := orphan_pids(place):
        if time.monotonic() > deadline:
            kill_each(orphans)
        time.sleep(0.05)
    for remains in (place.data / "postmaster.pid", place.socket / f"{postgres_place.SOCKET_NAME}.lock"):
        pid = first_pid(remains)
        if pid is None or Path(f"/proc/{pid}").exists():  # where the pid is free, PostgreSQL clears it, more safely
            remains.unlink(missing_ok=True)


def kill_each(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def running_pid(place: Place) -> int | None:
    """Give the server's pid if that process is this cluster's server and not a stranger who got its number."""
    pid = first_pid(place.data / "postmaster.pid")
    words = command_line(pid).split(b"\0") if pid else []
    return pid if f"cluster_name={place.mark}".encode() in words else None


def first_pid(lock_file: Path) -> int | None:
    """Read the pid on the first line of one of PostgreSQL's lock files; None where there is none."""
    first = lines_of(lock_file)[:1]
    return int(first[0]) if first and first[0].isdigit() else None


def lines_of(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text().splitlines()]
    except (FileNotFoundError, PermissionError):
        return []


def orphan_pids(place: Place) -> list[int]:
    title = f"postgres: {place.mark}: ".encode()
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if command_line(pid).startswith(title)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # gone, or a zombie being reaped
        return b""


def run_pg_ctl(place: Place, verb: str, *arguments: str) -> None:
    seconds = str(RECOVERY_SECONDS_MAX)
    run(place, "pg_ctl", verb, "-w", "-t", seconds, "-D", str(place.data), *arguments)


def run(place: Place, program: str, *arguments: str, given: str | None = None) -> None:
    """Run one of PostgreSQL's programs as the cluster's account, with nothing of the caller's environment."""
    command = [str(postgres_place.programs(place) / program), *arguments]
    result = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        **place.account.subprocess_arguments(),
    )
    if result.returncode != 0:
        detail = (result.stderr or result.stdout).strip()
        raise EmbeddedPostgresError(f"the embedded PostgreSQL's {program} failed: {detail} (log: {place.log})")
