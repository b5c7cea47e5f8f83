"""Runs the queue's processes as children, watches their signs of life, and replaces them when they die or hang."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import structlog
from django.conf import settings
from django.db import Error, connection

from core import heartbeats, job_rows
from core.long_work import LongWork
from core.stop_sign import StopSign

PULSE_SECONDS = 3
STALE_SECONDS = 20
START_SECONDS_MAX = 60  # a busy machine needs a while to import everything
STOP_SECONDS_MAX = 8  # for jobs in hand; what is not done by then is begun again, after a restart or elsewhere
INTERRUPT_SECONDS = 3  # before that
PAUSE_SECONDS_MAX = 30

log = structlog.get_logger(__name__)


class Cluster:
    """The queue's processes, in a process group of their own and bound to this process."""

    def __init__(self, *, name: str, sign: StopSign) -> None:
        self._name = name
        self._started = time.monotonic()
        options = ["--child-of", str(os.getpid()), "--stop-sign", str(sign.reading)]
        self._process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", *options],
            env={**os.environ, "BILLING_OPS_WORKER": name, "BILLING_OPS_PROCESS": "billing-ops worker"},
            stdin=subprocess.DEVNULL,
            pass_fds=[sign.reading],
            start_new_session=True,
        )

    @property
    def age(self) -> float:
        return time.monotonic() - self._started

    def find_trouble(self) -> str | None:
        """Why the cluster must be replaced; None while it lives and does its rounds."""
        if self._process.poll() is not None:
            return f"it ended with code {self._process.returncode}"
        silence = heartbeats.silent_seconds(self._name)
        if silence is None or silence > self.age:
            return "it gave no sign of life since its start" if self.age > START_SECONDS_MAX else None
        return f"it gave no sign of life for {silence:.0f} s" if silence > STALE_SECONDS else None

    def terminate(self) -> None:
        """Let running jobs end; a signal to the whole group would hang the queue, so only its head gets one."""
        self._process.send_signal(signal.SIGTERM)

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """End what is left of the group, whatever state it is in."""
        with suppress(ProcessLookupError):  # nothing was left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def supervise(*, name: str) -> None:
    """Keep a cluster running, and long work beside it, until SIGTERM or SIGINT; then leave nothing behind."""
    is_over, sign = threading.Event(), StopSign()
    long_work = LongWork(sign=sign)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_over.set())
    pause = 1.0
    while not is_over.is_set():
        cluster = Cluster(name=name, sign=sign)
        trouble = _watch(cluster, long_work, name=name, is_over=is_over)
        if trouble is None:
            _stop(cluster, long_work, sign=sign, name=name)
            break
        cluster.kill()
        pause = 1.0 if cluster.age > START_SECONDS_MAX else min(pause * 2, PAUSE_SECONDS_MAX)
        log.error("worker_replaced", name=name, reason=trouble, pause=pause)
        _release(name)
        is_over.wait(pause)
    _hand_back([name, *long_work.kill()])
    _forget(name)
    sign.close()


def _watch(cluster: Cluster, long_work: LongWork, *, name: str, is_over: threading.Event) -> str | None:
    """Wake the cluster every few seconds; return what is wrong with it, or None once it is asked to stop."""
    pulse_due = 0.0
    while not is_over.wait(1):
        try:
            if time.monotonic() >= pulse_due:
                heartbeats.wake(name)
                pulse_due = time.monotonic() + PULSE_SECONDS
            long_work.tend()
            trouble = cluster.find_trouble()
        except Error as error:  # the database is away: nobody can do rounds, so silence means nothing
            log.warning("worker_cannot_reach_database", name=name, error=str(error))
            connection.close()
            continue
        if trouble:
            return trouble
    return None


def _stop(cluster: Cluster, long_work: LongWork, *, sign: StopSign, name: str) -> None:
    """Nothing new is begun; what is in hand and short comes to its end, and the rest is ended."""
    ends, is_interrupted = time.monotonic() + STOP_SECONDS_MAX, False
    sign.give()
    cluster.terminate()
    while not (cluster.is_over() and long_work.is_over()):
        if time.monotonic() > ends:
            log.warning("worker_did_not_stop", name=name, seconds=STOP_SECONDS_MAX)
            break
        if not is_interrupted and time.monotonic() > ends - INTERRUPT_SECONDS:
            long_work.interrupt()
            is_interrupted = True
        time.sleep(0.05)
    cluster.kill()


def _release(name: str) -> None:
    try:
        job_rows.end_leases(worker=name)
    except Error:  # then the leases end by themselves
        connection.close()


def _hand_back(names: list[str]) -> None:
    try:
        for name in names:
            job_rows.hand_back(worker=name)
    except Error:  # then the leases end by themselves
        connection.close()


def _forget(name: str) -> None:
    try:
        heartbeats.forget(name)
    except Error:  # rows that nobody reads any more
        connection.close()
