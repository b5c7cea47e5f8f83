"""Runs functions at the same time in processes of their own, each with its own database connection."""

import multiprocessing
import time
from collections.abc import Callable

from django.db import connections

SECONDS_MAX = 300


def run_together(*works: Callable[[], None], seconds_max: float = SECONDS_MAX) -> None:
    """Fork one process for each, wait for all; an exception in any of them fails the caller, and so does a hang."""
    ends = time.monotonic() + seconds_max
    connections.close_all()  # a connection must never be shared across a fork
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=work, daemon=True) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(max(0, ends - time.monotonic()))
    failed = [process.name for process in processes if process.exitcode != 0]
    for process in processes:
        process.kill()
    if failed:
        raise AssertionError(f"{', '.join(failed)} failed or hung; its traceback stands in the captured output")
