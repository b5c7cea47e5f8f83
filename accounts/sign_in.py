"""The lock on guessing passwords: an attempt is counted before its password is looked at."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.models import SignInGuard

FAILURES_MAX = 10
LOCKED_FOR = timedelta(minutes=15)
KEPT_FOR = timedelta(days=1)
NAME_LENGTH_MAX = 150


def count_attempt(*, name: str, at: datetime) -> bool:
    """Count an attempt under this name; false where the name is locked. Of any number at once, ten get through."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_signinguard WHERE last_failure_at < %s", [at - KEPT_FOR])
        cursor.execute(
            """
            INSERT INTO accounts_signinguard AS guard (name, failures, last_failure_at) VALUES (%(name)s, 1, %(at)s)
            ON CONFLICT (name) DO UPDATE
            SET failures = CASE WHEN guard.last_failure_at < %(locked_since)s THEN 1 ELSE guard.failures + 1 END,
                last_failure_at = %(at)s
            WHERE guard.failures < %(max)s OR guard.last_failure_at < %(locked_since)s
            RETURNING failures
            """,
            {"name": _key(name), "at": at, "locked_since": at - LOCKED_FOR, "max": FAILURES_MAX},
        )
        return cursor.fetchone() is not None


def locked_until(*, name: str, at: datetime) -> datetime | None:
    """When this name may try again; None where it may now."""
    guard = SignInGuard.objects.filter(
        name=_key(name), failures__gte=FAILURES_MAX, last_failure_at__gte=at - LOCKED_FOR
    ).first()
    return None if guard is None else guard.last_failure_at + LOCKED_FOR


def forget_failures(*, name: str) -> None:
    """Start from none: the person signed in, or an administrator vouches for them."""
    SignInGuard.objects.filter(name=_key(name)).delete()


def _key(name: str) -> str:
    return name.replace("\x00", "").lower()[:NAME_LENGTH_MAX]
