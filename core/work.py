"""Background work as rows: committed with its cause, counted before it runs, finished by its last holder only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db import IntegrityError, connection, transaction

from core import heartbeats, job_rows, keeper
from core.errors import DomainError
from core.keeper import LeaseKeeper
from core.models import Job

ROUND_SECONDS_MAX = 60  # then the next round begins, so that the queue's own time limit is never near
BACKOFF_SECONDS = 10
BACKOFF_SECONDS_MAX = 600
ERROR_LENGTH_MAX = 2000

log = structlog.get_logger(__name__)
Function = TypeVar("Function", bound=Callable[..., object])


class NotGivenUpError(DomainError):
    """Only a job that was given up can be queued again."""

    code = "job_not_given_up"


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs for one kind of job, how often it may be tried, and whether it has a process of its own."""

    run: Callable[..., object]
    attempts_max: int
    is_long: bool


_handlers: dict[str, Handler] = {}


def handles(kind: str, *, attempts_max: int = 3, is_long: bool = False) -> Callable[[Function], Function]:
    """Register the function for jobs of this kind. It takes ids as keywords and may run twice or stop half-way.

    What `is_long` may take hours: the supervisor starts a process for it while there is such a job, so that it is in
    the way of nothing else. Everything else ends within keeper.JOB_SECONDS_MAX.
    """

    def register(function: Function) -> Function:
        if kind in _handlers:
            raise ValueError(f"two handlers for jobs of kind {kind!r}")
        _handlers[kind] = Handler(run=function, attempts_max=attempts_max, is_long=is_long)
        return function

    return register


def long_kinds() -> list[str]:
    """What is left to processes of its own."""
    return sorted(kind for kind, handler in _handlers.items() if handler.is_long)


def enqueue(*, kind: str, key: str, arguments: Mapping[str, Any], at: datetime) -> None:
    """Queue the work inside the transaction that causes it; a second call while one is open adds nothing."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("work is queued inside the transaction that causes it")
    handler = _handlers[kind]
    if job_rows.insert_job(kind=kind, key=key, arguments=arguments, attempts_max=handler.attempts_max, at=at):
        for name in heartbeats.live_workers():
            heartbeats.wake(name)


def run_due_jobs(*, at: datetime, limit: int = 1000) -> int:
    """Run jobs due at `at`, one after the other, in this process; how many attempts were made."""
    for done in range(limit):
        if not run_next_job(at=at):
            return done
    return limit


def run_next_job(*, at: datetime, only: str | None = None, but: Sequence[str] = ()) -> bool:
    """Run the job that is due longest, `only` of one kind or of all `but` some; false if there is none."""
    for name in job_rows.bury_worn_out():
        log.error("job_given_up", job=name, reason=job_rows.WORKER_DIED)
    lease = job_rows.take_lease(worker=heartbeats.own_name(), at=at, only=only, but=but)
    if lease is None:
        return False
    handler = _handlers[lease.kind]
    try:
        with LeaseKeeper(lease, seconds_max=keeper.LONG_SECONDS_MAX if handler.is_long else keeper.JOB_SECONDS_MAX):
            handler.run(**lease.arguments)
    except Exception as error:  # whatever it is, it belongs to this job and must not stop the others
        log.exception("job_failed", kind=lease.kind, key=lease.key, attempt=lease.attempts)
        _note_failure(lease, error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH_MAX], at=at)
    else:
        if not job_rows.finish(lease):
            log.warning("lease_lost", kind=lease.kind, key=lease.key)
    return True


def _note_failure(lease: job_rows.Lease, *, error: str, at: datetime) -> None:
    error = error.replace("\x00", "")
    if lease.attempts >= lease.attempts_max:
        job_rows.bury(lease, error=error)
        return
    wait = min(BACKOFF_SECONDS * 4 ** (lease.attempts - 1), BACKOFF_SECONDS_MAX)
    job_rows.put_back(lease, run_after=at + timedelta(seconds=wait), error=error)


def retry_dead_job(*, job_id: int, at: datetime) -> None:
    """Queue a job that was given up once more, with all its attempts."""
    try:
        with transaction.atomic():
            revived = Job.objects.filter(pk=job_id, state=Job.State.DEAD).update(
                state=Job.State.QUEUED, attempts=0, run_after=at, finished_at=None
            )
    except IntegrityError as error:
        raise NotGivenUpError("The same work is queued already.") from error
    if not revived:
        raise NotGivenUpError("This job was not given up; there is nothing to repeat.")
    for name in heartbeats.live_workers():
        heartbeats.wake(name)
