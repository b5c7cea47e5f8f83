"""The audit chain: appended only, numbered without a gap, and every tampering found."""

from typing import Any

import pgtrigger
import pytest
from django.contrib.auth.models import User
from django.db import Error, connection, transaction

from core import audit
from core.models import AuditEntry
from tests.builders.people import NOW, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def fiona() -> User:
    return make_staff("fiona", "finance")


def append(*numbers: int, actor: Any = None) -> list[AuditEntry]:
    facts = [audit.Fact(action="done", subject=f"thing:{number}", facts={"number": number}) for number in numbers]
    return audit.append_entries(facts, actor=actor, at=NOW)


def test_entries_are_linked_and_numbered(fiona: User) -> None:
    append(1, 2, actor=fiona)
    append(3)
    first, second, third = AuditEntry.objects.order_by("id")
    assert [entry.reference for entry in (first, second, third)] == [
        "AUD-0000000001",
        "AUD-0000000002",
        "AUD-0000000003",
    ]
    assert first.previous_hash == audit.GENESIS
    assert (second.previous_hash, third.previous_hash) == (first.entry_hash, second.entry_hash)
    assert (first.actor, third.actor) == (fiona, None)
    assert audit.find_first_broken_entry() is None


def test_a_rollback_leaves_no_gap() -> None:
    with transaction.atomic():
        append(1)
        transaction.set_rollback(True)
    assert append(2)[0].reference == "AUD-0000000001"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET facts = '{}'",
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
    ],
)
def test_the_database_refuses_to_change_it(statement: str) -> None:
    append(1)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE core_auditentry SET facts = '{\"number\": 9}' WHERE id = 2", 2),
        ("UPDATE core_auditentry SET subject = 'thing:9' WHERE id = 2", 2),
        ("UPDATE core_auditentry SET recorded_at = recorded_at + interval '1 second' WHERE id = 1", 1),
        ("UPDATE core_auditentry SET actor_id = NULL WHERE id = 3", 3),
        ("DELETE FROM core_auditentry WHERE id = 2", 3),
        ("DELETE FROM core_auditentry WHERE id = 1", 2),
        ("UPDATE core_auditentry SET id = 10 WHERE id = 2", 3),
    ],
)
def test_every_tampering_is_found(fiona: User, statement: str, broken: int) -> None:
    append(1, 2, 3, 4, actor=fiona)
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute(statement)
    found = audit.find_first_broken_entry()
    assert found is not None
    assert found.pk == broken
