"""The first reading of a request: it outlives a connection that broke in between, and never a transaction."""

from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

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
