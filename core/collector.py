"""Python's search for cycles, paused where it finds none and costs a third of the work."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """For stretches that make many objects at once and then let go of them: layout, or a chunk of a close.

    What is no longer referred to is freed as ever; only cycles wait until the end.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def collect_recent() -> None:
    """Free the cycles among what was made of late; for loops that pause the search for long."""
    gc.collect(1)
