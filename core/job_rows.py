"""The SQL of background work. Leases are measured by the database clock, so machines whose clocks differ agree."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from core import json_words

LEASE_SECONDS = 30
WORKER_DIED = "The worker died or was stopped during the last attempt; nothing more is known."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A job in hand; `fence` tells this holder from every earlier and later one."""

    job_id: int
    kind: str
    key: str
    arguments: Mapping[str, Any]
    attempts: int
    attempts_max: int
    fence: int


def insert_job(*, kind: str, key: str, arguments: Mapping[str, Any], attempts_max: int, at: datetime) -> bool:
    """Insert the job unless one of the same kind and key is still open; true if it is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_job (kind, key, arguments, state, attempts, attempts_max, fence,
                                  run_after, leased_by, enqueued_at, last_error)
            VALUES (%s, %s, %s, 'queued', 0, %s, 0, %s, '', %s, '')
            ON CONFLICT (kind, key) WHERE state IN ('queued', 'leased') DO NOTHING
            """,
            [kind, key, orjson.dumps(dict(arguments)).decode(), attempts_max, at, at],
        )
        return bool(cursor.rowcount)


def take_lease(*, worker: str, at: datetime, only: str | None = None, but: Sequence[str] = ()) -> Lease | None:
    """Lease the job that is due longest and commit, with its attempt counted, before any work begins.

    `only` of one kind, or of all `but` some.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT id FROM core_job
                WHERE ((state = 'queued' AND run_after <= %(at)s)
                    OR (state = 'leased' AND leased_until <= clock_timestamp() AND attempts < attempts_max))
                  AND kind = coalesce(%(only)s, kind) AND kind <> ALL(%(but)s)
                ORDER BY run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            UPDATE core_job AS job
            SET state = 'leased', attempts = attempts + 1, fence = fence + 1, leased_by = %(worker)s,
                leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
            FROM due WHERE job.id = due.id
            RETURNING job.id, job.kind, job.key, job.arguments::text, job.attempts, job.attempts_max, job.fence
            """,
            {"at": at, "worker": worker, "seconds": LEASE_SECONDS, "only": only, "but": list(but)},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    job_id, kind, key, arguments, attempts, attempts_max, fence = row
    return Lease(
        job_id=job_id,
        kind=kind,
        key=key,
        arguments=orjson.loads(arguments),
        attempts=attempts,
        attempts_max=attempts_max,
        fence=fence,
    )


def due_kinds(*, among: Sequence[str], at: datetime) -> list[str]:
    """Of which of these kinds a job waits to be taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT kind FROM core_job
            WHERE kind = ANY(%s) AND ((state = 'queued' AND run_after <= %s)
               OR (state = 'leased' AND leased_until <= clock_timestamp()))
            ORDER BY kind
            """,
            [list(among), at],
        )
        return [kind for (kind,) in cursor.fetchall()]


def bury_worn_out() -> list[str]:
    """Give up jobs whose last allowed attempt took its worker with it; their kinds and keys."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE core_job
            SET state = 'dead', leased_until = NULL, finished_at = clock_timestamp(), last_error = %s
            WHERE id IN (SELECT id FROM core_job
                         WHERE state = 'leased' AND leased_until <= clock_timestamp() AND attempts >= attempts_max
                         FOR UPDATE SKIP LOCKED)
            RETURNING kind || ' ' || key
            """,
            [WORKER_DIED],
        )
        return [row[0] for row in cursor.fetchall()]


def extend_lease(lease: Lease) -> bool:
    """Push the end of the lease back; false if it is no longer ours."""
    return _change_own(lease, "leased_until = clock_timestamp() + make_interval(secs => %s)", [LEASE_SECONDS])


def finish(lease: Lease) -> bool:
    """Mark the job done; false if the lease was lost, and then another holder decides."""
    change = "state = 'done', leased_until = NULL, finished_at = clock_timestamp(), last_error = ''"
    return _change_own(lease, change, [])


def put_back(lease: Lease, *, run_after: datetime, error: str) -> bool:
    """Queue the job for another attempt."""
    return _change_own(
        lease, "state = 'queued', leased_until = NULL, run_after = %s, last_error = %s", [run_after, error]
    )


def bury(lease: Lease, *, error: str) -> bool:
    """Give the job up; a person may queue it again."""
    change = "state = 'dead', leased_until = NULL, finished_at = clock_timestamp(), last_error = %s"
    return _change_own(lease, change, [error])


def forget_errors(words: Collection[str]) -> int:
    """Overwrite what errors say where they say one of these words, whatever case it is in; of how many jobs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_job SET last_error = 'Erased with the person whom it named.' WHERE EXISTS (SELECT FROM"
            " unnest(%s::text[]) AS word WHERE position(lower(word) IN lower(last_error)) > 0)",
            [[word for word in words if len(word) >= json_words.WHOLE_BELOW]],
        )
        return int(cursor.rowcount)


def end_leases(*, worker: str) -> int:
    """Let the jobs of a worker whose processes are gone be taken again at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_job SET leased_until = clock_timestamp() WHERE state = 'leased' AND leased_by = %s", [worker]
        )
        return int(cursor.rowcount)


def hand_back(*, worker: str) -> int:
    """What a worker had in hand when it was told to stop waits again; the attempt was not its fault."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE core_job SET state = 'queued', leased_until = NULL, attempts = greatest(attempts - 1, 0)
            WHERE state = 'leased' AND leased_by = %s
            """,
            [worker],
        )
        return int(cursor.rowcount)


def _change_own(lease: Lease, change: str, values: list[Any]) -> bool:
    statement = f"UPDATE core_job SET {change} WHERE id = %s AND fence = %s AND state = 'leased'"  # noqa: S608  fixed text
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, lease.job_id, lease.fence])
        return bool(cursor.rowcount)
