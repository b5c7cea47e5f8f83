"""Keeps the lease of a long job, and its worker's sign of life, while the job runs."""

import threading
import time
from types import TracebackType
from typing import Self

import structlog
from django.db import connection

from core import heartbeats, job_rows

KEEP_SECONDS = 5
JOB_SECONDS_MAX = 240  # below the queue's own time limit; a job that hangs longer loses its lease
LONG_SECONDS_MAX = 3 * 3600  # of one that has a process of its own, which the supervisor ends soon after

log = structlog.get_logger(__name__)


class LeaseKeeper:
    """`with LeaseKeeper(lease):` around the work; it touches the database only when the work takes long."""

    def __init__(self, lease: job_rows.Lease, *, seconds_max: float) -> None:
        self._lease = lease
        self._seconds_max = seconds_max
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name=f"lease of job {lease.job_id}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _keep(self) -> None:
        ends = time.monotonic() + self._seconds_max
        try:
            while (
                not self._is_over.wait(KEEP_SECONDS) and time.monotonic() < ends and job_rows.extend_lease(self._lease)
            ):
                heartbeats.beat()
        except Exception:  # the job goes on; without extension its lease ends and another worker may take it
            log.exception("lease_not_kept", job=self._lease.job_id)
        finally:
            connection.close()
