"""PostgreSQL advisory locks by class; transaction-scoped, so a crash can never leave one behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, unique

from django.db import connection


@unique
class LockClass(IntEnum):
    """First key of the two-integer advisory locks. Take them in this order: cycle → series → audit."""

    CAPTURE = 7101
    CYCLE = 7102
    SERIES = 7103
    AUDIT = 7104
    SUBSCRIPTION = 7105
    ARCHIVE = 7106
    POLICY = 7107
    CLOSE_RUN = 7108  # held by a session, not a transaction: see `try_to_hold`
    AGREED = 7109  # shared by whoever writes an agreement, alone while an instant is fixed: see `knowing`
    OFFENCES = 7110
    PAYMENT = 7111
    LAUNCH = 7112
    SHIPMENT = 7113  # where accepted events go: held by each shipment, and while a copy into another store begins


def lock_exclusive(lock_class: LockClass, key: int = 0) -> None:
    """Hold the lock alone until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(lock_class), key])


def lock_shared(lock_class: LockClass, key: int = 0) -> None:
    """Hold the lock together with other shared holders until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [int(lock_class), key])


@contextmanager
def try_to_hold(lock_class: LockClass, key: int) -> Iterator[bool]:
    """Hold the lock across transactions, until the block is left or the process is gone; false if somebody has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [int(lock_class), key])
        is_held = bool(cursor.fetchone()[0])
    try:
        yield is_held
    finally:
        if is_held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [int(lock_class), key])


def held_keys(lock_class: LockClass) -> set[int]:
    """Which keys of this class anybody holds now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = %s",
            [int(lock_class)],
        )
        return {int(key) for (key,) in cursor.fetchall()}
