"""The first reading of a request: it outlives a connection that broke in between, and never a transaction."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction

from accounts import keys, roles
from accounts.models import Scope
from core import statements
from tests.builders.people import NOW, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def break_connection() -> None:
    """As a restart of the server does, seen from here."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_connection_that_broke_is_replaced() -> None:
    assert statements.fetch_first("SELECT %s::int", [1]) == [(1,)]
    break_connection()
    assert statements.fetch_first("SELECT %s::int", [2]) == [(2,)]


def test_inside_a_transaction_nothing_is_tried_again() -> None:
    def read_after_a_break() -> None:
        with transaction.atomic():
            break_connection()
            statements.fetch_first("SELECT %s::int", [1])

    with pytest.raises(DatabaseError):
        read_after_a_break()


def test_a_statement_answered_soon_gives_what_a_cursor_gives() -> None:
    statement = "SELECT %s::bigint, %s::text, %s::timestamptz, %s::bytea, %s::text[], %s::numeric"
    for number in (1, 40_000, 3_000_000_000):  # the driver sends each as another type
        parameters = [number, "it's 100 %", NOW, b"\x00\xff", '{a,"b c"}', None]
        expected = [(number, "it's 100 %", NOW, b"\x00\xff", ["a", "b c"], None)]
        assert statements.fetch_soon(statement, parameters) == expected
        assert statements.fetch_all(statement, parameters) == expected


def test_what_the_database_refuses_soon_is_the_error_that_django_names() -> None:
    with pytest.raises(DataError, match="division by zero"):
        statements.fetch_soon("SELECT 1 / %s::int", [0])
    with pytest.raises(IntegrityError, match="auth_group"):
        statements.fetch_soon("INSERT INTO auth_group (name) VALUES (%s) RETURNING id", [None])
    with pytest.raises(DatabaseError, match="no_such_table"):
        statements.fetch_soon("SELECT * FROM no_such_table", [])
    assert statements.fetch_soon("SELECT 1", []) == [(1,)]


def test_a_statement_answered_soon_is_a_commit_of_its_own() -> None:
    statements.fetch_soon("INSERT INTO auth_group (name) VALUES (%s) RETURNING id", ["kept"])
    connection.close()
    assert statements.fetch_soon("SELECT name FROM auth_group WHERE name = %s", ["kept"]) == [("kept",)]


def test_inside_a_transaction_it_belongs_to_the_transaction() -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        statements.fetch_soon("INSERT INTO auth_group (name) VALUES (%s) RETURNING id", ["undone"])
        raise ZeroDivisionError
    assert statements.fetch_soon("SELECT name FROM auth_group WHERE name = %s", ["undone"]) == []


def test_a_connection_that_breaks_is_an_operational_error_and_the_next_one_works() -> None:
    assert statements.fetch_soon("SELECT 1", []) == [(1,)]
    break_connection()
    with pytest.raises(OperationalError):
        statements.fetch_soon("SELECT 1", [])
    connection.close()
    assert statements.fetch_soon("SELECT 1", []) == [(1,)]


def test_what_the_driver_had_forgotten_is_prepared_again() -> None:
    """After a rollback it asks the server to forget every statement, ours included."""
    for number in range(7):  # until the cursor's own statement is prepared
        assert statements.fetch_soon("SELECT %s::int", [number]) == [(number,)]
        assert statements.fetch_all("SELECT %s::text", [str(number)]) == [(str(number),)]
    with suppress(ZeroDivisionError), transaction.atomic():
        statements.fetch_all("SELECT %s::text", ["x"])
        raise ZeroDivisionError
    assert statements.fetch_all("SELECT 1", []) == [(1,)]  # with it goes what the driver owes the server
    assert statements.fetch_all("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'billing%%'", []) == [(0,)]
    assert statements.fetch_soon("SELECT %s::int", [8]) == [(8,)]


def test_a_key_is_found_with_the_roles_that_its_person_holds_now() -> None:
    erin = make_staff("erin", "engineering")
    _made, text = keys.new_key(name="collector", user=erin, scopes=[Scope.READ], at=NOW)
    found = keys.find_key(text)
    assert found is not None
    assert roles.roles_of(found.user) == {"engineering"}
    assert found.user == User.objects.get(username="erin")
    erin.groups.clear()
    found = keys.find_key(text)
    assert found is not None
    assert roles.roles_of(found.user) == frozenset()
