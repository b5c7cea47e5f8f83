"""Chores that leave a line in a file, so that a test can count what really happened."""

import os
import signal
import time
from pathlib import Path

from core import job_rows, keeper, stop_sign, work

PREFIX = "chore."
job_rows.LEASE_SECONDS = 6  # a test does not wait as long as a person would
keeper.JOB_SECONDS_MAX = int(os.environ.get("CHORES_JOB_SECONDS", keeper.JOB_SECONDS_MAX))


def note(text: str) -> None:
    with Path(os.environ["CHORES_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


@work.handles(f"{PREFIX}good")
def do_well(*, number: int) -> None:
    note(f"good {number}")


@work.handles(f"{PREFIX}slow")
def do_slowly(*, number: int, milliseconds: int) -> None:
    note(f"begun {number}")
    time.sleep(milliseconds / 1000)
    note(f"ended {number}")


@work.handles(f"{PREFIX}long", is_long=True)
def take_long(*, number: int, milliseconds: int) -> None:
    """As a child that plays or PostgreSQL that searches: nothing is asked of this process meanwhile."""
    note(f"begun {number}")
    time.sleep(milliseconds / 1000)
    note(f"ended {number}")


@work.handles(f"{PREFIX}sliced")
def do_in_slices(*, number: int) -> None:
    is_over = stop_sign.over_after(60)
    note(f"begun {number}")
    while not is_over():
        time.sleep(0.1)
    note(f"ended {number}")


@work.handles(f"{PREFIX}deadly")
def die(*, number: int) -> None:
    note(f"deadly {number}")
    os.kill(os.getpid(), signal.SIGKILL)
