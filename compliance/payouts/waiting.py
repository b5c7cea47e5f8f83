"""Dates a decision by when it was made, not by when it was asked for: time spent waiting for locks counts."""

import time
from datetime import datetime, timedelta


def start() -> float:
    """Begin to measure, before the first lock is asked for."""
    return time.monotonic()


def moment_after(start: float, *, at: datetime) -> datetime:
    """The instant once the locks are held: `at` plus the time it took to get them."""
    return at + timedelta(seconds=time.monotonic() - start)
