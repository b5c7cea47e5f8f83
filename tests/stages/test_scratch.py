"""Databases that are made for a while beside the live one."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from psycopg import sql

from core import scratch
from invoicing.replay import engine, program_code

pytestmark = pytest.mark.django_db(transaction=True)


def ask(statement: str, *parameters: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        ((answer,),) = cursor.fetchall()
    return answer


def exists(name: str) -> object:
    return ask("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", name)


def test_a_copy_of_the_template_has_every_table_and_trigger_and_no_row() -> None:
    # Months of events aside: each database has made those that it needed.
    counted = """
        SELECT (SELECT count(*) FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition)
            || ' ' || (SELECT count(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                       WHERE NOT tgisinternal AND NOT relispartition)
            || ' ' || (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    """
    here = ask(counted)
    template = scratch.find_template(state=program_code.hash_migrations()[: engine.STATE_LENGTH])
    with scratch.scratch_database(template=template, purpose="replay") as environment:
        apart = connection.copy()
        apart.settings_dict["NAME"] = environment["PGDATABASE"]
        with apart.cursor() as cursor:
            cursor.execute(counted)
            assert cursor.fetchall() == [(here,)]
            cursor.execute("SELECT count(*) FROM auth_group")
            assert cursor.fetchall() == [(0,)]
        apart.close()
    assert not exists(environment["PGDATABASE"])


def test_nothing_of_the_environment_leads_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in scratch.OUTSIDE:
        monkeypatch.setenv(name, "https://somewhere.example")
    found = scratch.environment_of("billing_ops_replay_1_ab")
    assert found["DATABASE_URL"] == "postgres:///billing_ops_replay_1_ab"
    assert not set(scratch.OUTSIDE) & found.keys()


def test_what_a_killed_process_left_is_dropped_once_it_is_old() -> None:
    old, fresh = "billing_ops_left_1000_ab", f"billing_ops_left_{int(datetime.now(UTC).timestamp())}_ab"
    for name in (old, fresh):
        scratch._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))  # noqa: SLF001  as a killed one left it
    try:
        scratch.drop_forsaken(purpose="left")
        assert (exists(old), exists(fresh)) == (False, True)
    finally:
        for name in (old, fresh):
            scratch._execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))  # noqa: SLF001  as above


def test_a_role_that_may_make_none_is_told_what_to_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS makes_none")
        cursor.execute("CREATE ROLE makes_none LOGIN")
    try:
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "USER", "makes_none")
            making = scratch.scratch_database()
            with pytest.raises(scratch.ScratchRefusedError, match='ALTER ROLE "makes_none" CREATEDB'):
                making.__enter__()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE makes_none")
