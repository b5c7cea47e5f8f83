"""Signs of life: which workers are alive, and the call that wakes them."""

import os
import socket

from django.db import connection
from django.db.models.functions import Now
from django_q.models import OrmQ
from django_q.tasks import async_task

from core.models import WorkerHeartbeat

DRAIN = "core.tasks.drain"
ALIVE_SECONDS = 60


def own_name() -> str:
    """The worker's name, which is its queue's name too; any other process goes by machine and number."""
    return os.environ.get("BILLING_OPS_WORKER") or f"{socket.gethostname()[:60]}:{os.getpid()}"


def beat() -> None:
    """Note that this worker is doing rounds; other processes leave no trace."""
    if "BILLING_OPS_WORKER" not in os.environ:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_workerheartbeat (name, seen_at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()",
            [own_name()],
        )


def silent_seconds(name: str) -> float | None:
    """How long ago the worker gave its last sign, by the database clock; None if it never did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - seen_at) FROM core_workerheartbeat WHERE name = %s", [name]
        )
        row = cursor.fetchone()
    return None if row is None else float(row[0])


def live_workers() -> list[str]:
    """Workers that gave a sign within the last minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM core_workerheartbeat WHERE seen_at > clock_timestamp() - make_interval(secs => %s)",
            [ALIVE_SECONDS],
        )
        return [row[0] for row in cursor.fetchall()]


def wake(name: str) -> None:
    """Ask one worker to look for due jobs, unless such a call waits for it already."""
    if not OrmQ.objects.filter(key=name, lock__lte=Now()).exists():
        async_task(DRAIN, cluster=name, save=False)


def forget(name: str) -> None:
    """Remove a worker that has stopped, with the calls that nobody will hear."""
    OrmQ.objects.filter(key=name).delete()
    WorkerHeartbeat.objects.filter(name=name).delete()
