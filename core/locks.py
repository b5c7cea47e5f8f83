"""PostgreSQL advisory locks by class; transaction-scoped, so a crash can never leave one behind."""

from enum import IntEnum

from django.db import connection


class LockClass(IntEnum):
    """First key of the two-integer advisory locks. Take them in this order: cycle → series → audit."""

    CAPTURE = 7101
    CYCLE = 7102
    SERIES = 7103
    AUDIT = 7104
    SUBSCRIPTION = 7105
    ARCHIVE = 7106
    POLICY = 7107


def lock_exclusive(lock_class: LockClass, key: int = 0) -> None:
    """Hold the lock alone until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(lock_class), key])


def lock_shared(lock_class: LockClass, key: int = 0) -> None:
    """Hold the lock together with other shared holders until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [int(lock_class), key])
