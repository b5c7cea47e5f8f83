"""Tells every process below a supervisor to take nothing new, without a signal, which would hang the queue."""

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class StopSign:
    """The supervisor's end: the other one becomes readable for good once the sign is given."""

    reading: int = field(init=False)
    _writing: int = field(init=False)

    def __post_init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def give(self) -> None:
        os.close(self._writing)

    def close(self) -> None:
        os.close(self.reading)


class _Heeded:
    """Which sign this process heeds, and every fork of it; None where nobody supervises it."""

    reading: int | None = None


def heed(reading: int) -> None:
    """Look at this end from now on."""
    _Heeded.reading = reading


def is_given() -> bool:
    """Whether this process is asked to end what it does."""
    reading = _Heeded.reading
    return reading is not None and bool(select.select([reading], [], [], 0)[0])


def over_after(seconds: float) -> Callable[[], bool]:
    """Whether a slice of work that begins now is over: the time has passed, or the process is asked to end."""
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() > ends or is_given()
