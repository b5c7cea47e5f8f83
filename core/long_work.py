"""Processes for what takes long: one for each kind of long work that is due, and none while nothing is."""

import os
import signal
import socket
import subprocess
import sys
import time

import structlog
from django.conf import settings
from django.utils import timezone

from core import job_rows, keeper, stop_sign, work
from core.stop_sign import StopSign

AGE_SECONDS_MAX = keeper.LONG_SECONDS_MAX + work.ROUND_SECONDS_MAX
PAUSE_SECONDS = 10  # after a process that could not even work its round to the end

log = structlog.get_logger(__name__)


def take_long_work(kind: str) -> None:
    """Run due jobs of one long kind until there are none or the round is over; what such a process does."""
    is_over = stop_sign.over_after(work.ROUND_SECONDS_MAX)
    while not is_over() and work.run_next_job(at=timezone.now(), only=kind):
        pass


class LongProcess:
    """Takes jobs of one kind, one after the other, for a round."""

    def __init__(self, *, kind: str, sign: StopSign) -> None:
        self.kind = kind
        self._started = time.monotonic()
        own = {key: value for key, value in os.environ.items() if key != "BILLING_OPS_WORKER"}
        options = ["--child-of", str(os.getpid()), "--stop-sign", str(sign.reading), "--long", kind]
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", *options],
            env=own | {"BILLING_OPS_PROCESS": "billing-ops long work"},
            stdin=subprocess.DEVNULL,
            pass_fds=[sign.reading],
            start_new_session=True,
        )

    @property
    def worker(self) -> str:
        """How it signs its leases, as heartbeats.own_name says there."""
        return f"{socket.gethostname()[:60]}:{self.process.pid}"

    @property
    def age(self) -> float:
        return time.monotonic() - self._started


class LongWork:
    """What a supervisor has running of it."""

    def __init__(self, *, sign: StopSign) -> None:
        self._sign = sign
        self._running: dict[str, LongProcess] = {}
        self._not_before: dict[str, float] = {}

    def tend(self) -> None:
        """Start what is due, end what hangs, and free what ended badly."""
        for one in [*self._running.values()]:
            if one.age > AGE_SECONDS_MAX:
                one.process.kill()
                one.process.wait()
            if one.process.poll() is not None:
                self._bury(one)
        for kind in job_rows.due_kinds(among=work.long_kinds(), at=timezone.now()):
            if kind not in self._running and time.monotonic() >= self._not_before.get(kind, 0):
                self._running[kind] = LongProcess(kind=kind, sign=self._sign)

    def _bury(self, one: LongProcess) -> None:
        del self._running[one.kind]
        if one.process.returncode:
            log.error("long_work_ended", kind=one.kind, code=one.process.returncode)
            self._not_before[one.kind] = time.monotonic() + PAUSE_SECONDS
            job_rows.end_leases(worker=one.worker)

    def interrupt(self) -> None:
        """Have what did not heed the sign leave its job, which closes what it has open."""
        for one in self._running.values():
            one.process.send_signal(signal.SIGTERM)

    def is_over(self) -> bool:
        return all(one.process.poll() is not None for one in self._running.values())

    def kill(self) -> list[str]:
        """End what is left; the names under which its jobs are leased."""
        for one in self._running.values():
            one.process.kill()
            one.process.wait()
        return [one.worker for one in self._running.values()]
