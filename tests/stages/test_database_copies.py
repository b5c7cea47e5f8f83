"""A copy of the database comes back whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import database_copies, embedded_postgres
from core.database_copies import DatabaseCopyError, Server
from tests.builders import clusters

MAKE = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY, note text, during int8range, EXCLUDE USING gist (during WITH &&)
);
INSERT INTO entry (note, during) VALUES ('first', '[1,5)'), ('second', '[5,9)');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'entries are fixed'; END $$;
CREATE TRIGGER fixed BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as environment, clusters.own_home(environment) as folder:
        embedded_postgres.ensure()
        yield folder


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A database with what a copy can lose: a trigger, an exclusion constraint, an identity column."""
    monkeypatch.setenv("BILLING_OPS_HOME", str(home))
    clusters.run(MAKE)
    return Server(settings=dict(embedded_postgres.connection_settings()), major=18)


def insert_third() -> object:
    return clusters.ask("INSERT INTO entry (note, during) VALUES ('third', '[9,10)') RETURNING id")


def test_a_restored_copy_is_the_database_as_it_was(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "copy.dump"
    assert database_copies.backup_database(file=file, server=server) == file.stat().st_size
    clusters.run("DROP TABLE entry; CREATE TABLE made_later (id int)")
    database_copies.restore_database(file=file, server=server)
    assert clusters.ask("SELECT string_agg(note, ' ' ORDER BY id) FROM entry") == "first second"
    assert clusters.ask("SELECT to_regclass('made_later')") is None
    assert clusters.ask("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == "fixed"
    assert insert_third() == 3


def test_a_restored_database_can_be_copied_and_restored_again(server: Server, tmp_path: Path) -> None:
    for name in ("first.dump", "second.dump"):
        database_copies.backup_database(file=tmp_path / name, server=server)
        database_copies.restore_database(file=tmp_path / name, server=server)
    assert clusters.ask("SELECT count(*) FROM entry") == 2


def test_a_broken_copy_changes_nothing_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "copy.dump"
    database_copies.backup_database(file=file, server=server)
    file.write_bytes(file.read_bytes()[:-400])
    insert_third()
    with pytest.raises(DatabaseCopyError, match="pg_restore failed"):
        database_copies.restore_database(file=file, server=server)
    assert clusters.ask("SELECT count(*) FROM entry") == 3
    assert list(tmp_path.iterdir()) == [file]


def test_a_copy_that_cannot_be_finished_leaves_no_file(server: Server, tmp_path: Path) -> None:
    elsewhere = Server(settings={**server.settings, "NAME": "no_such_database"}, major=18)
    with pytest.raises(DatabaseCopyError, match="no_such_database"):
        database_copies.backup_database(file=tmp_path / "copy.dump", server=elsewhere)
    assert list(tmp_path.iterdir()) == []


def test_a_restore_behind_an_open_transaction_gives_up_whole(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_copies, "LOCK_WAIT", "200ms")
    file = tmp_path / "copy.dump"
    database_copies.backup_database(file=file, server=server)
    with clusters.connect() as reader, reader.transaction():
        reader.execute("SELECT * FROM entry")
        with pytest.raises(DatabaseCopyError, match="lock timeout"):
            database_copies.restore_database(file=file, server=server)
    assert clusters.ask("SELECT count(*) FROM entry") == 2


def test_a_copy_is_for_its_owner_alone(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "copy.dump"
    database_copies.backup_database(file=file, server=server)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_tool_older_than_the_server_is_passed_over(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgres://billing@elsewhere/billing_ops")
    assert database_copies.tool("pg_dump", server_major=15) == str(old)
    assert database_copies.tool("pg_dump", server_major=18) != str(old)
