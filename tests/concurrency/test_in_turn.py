"""Processes that work ahead of their turn: the order of the tasks is kept, and what is done alone is alone."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from core import in_turn
from core.errors import InvalidInputError

TASKS = 40


class StubbornError(Exception):
    """An error that cannot be read back where it is sent to."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name)
        self.name = name


class Slow:
    """A task takes up to 5 ms before its turn; `open` counts the processes that have something open."""

    def __init__(self, **what: Sequence[int]) -> None:
        self.open = multiprocessing.get_context("fork").Value("i", 0)
        self.what = what

    def is_one(self, kind: str, task: int) -> bool:
        return task in self.what.get(kind, ())

    @contextmanager
    def ahead(self, task: int) -> Iterator[Callable[[], str] | None]:
        if self.is_one("fails_ahead", task):
            raise ValueError(task)
        if self.is_one("not_ahead", task):
            yield None
            return
        self._count(1)
        try:
            time.sleep(random.Random(task).uniform(0, 0.005))  # noqa: S311  the same every time
            yield lambda: self._finish(task)
        finally:
            self._count(-1)

    def _finish(self, task: int) -> str:
        if self.is_one("fails_in_turn", task):
            raise ValueError(task)
        if self.is_one("dies", task):
            os.kill(os.getpid(), signal.SIGKILL)
        return "ahead"

    def alone(self, task: int) -> str:
        if self.is_one("refused", task):
            raise InvalidInputError(f"{task} is refused", pointer="/task")
        if self.is_one("stubborn", task):
            raise StubbornError(name=str(task))
        ends = time.monotonic() + 5
        while self.open.value and time.monotonic() < ends:
            time.sleep(0.001)
        if self.is_one("takes_long", task):
            time.sleep(0.3)
        return f"alone, {self.open.value} open"

    def _count(self, more: int) -> None:
        with self.open.get_lock():
            self.open.value += more


def outcomes(work: Slow, tasks: Iterator[int] | None = None) -> list[tuple[int, str]]:
    return list(in_turn.run(iter(range(TASKS)) if tasks is None else tasks, work=work))


def until(work: Slow, error: type[Exception], tasks: Iterator[int] | None = None) -> tuple[list[int], str]:
    """The tasks that were given out before the error, and what it said."""
    given: list[int] = []
    line = in_turn.run(iter(range(TASKS)) if tasks is None else tasks, work=work)
    with pytest.raises(error) as raised:
        given.extend(task for task, _outcome in line)
    return given, str(raised.value)


def test_all_that_can_be_is_done_ahead_and_given_in_order() -> None:
    assert outcomes(Slow()) == [(task, "ahead") for task in range(TASKS)]


def test_no_task_is_none() -> None:
    assert outcomes(Slow(), iter(())) == []


@pytest.mark.parametrize("kind", ["not_ahead", "fails_ahead", "fails_in_turn"])
def test_what_is_not_done_ahead_is_done_alone_in_its_turn(kind: str) -> None:
    found = outcomes(Slow(**{kind: [0, 7, 8, 39]}))
    assert found == [(task, "alone, 0 open" if task in (0, 7, 8, 39) else "ahead") for task in range(TASKS)]


def test_those_that_made_way_for_one_alone_are_done_ahead_again() -> None:
    """However slow a task alone is: the others have long come to wait for their turn, and take back what they did."""
    found = outcomes(Slow(not_ahead=[0, 20], takes_long=[0, 20]))
    assert found == [(task, "alone, 0 open" if task in (0, 20) else "ahead") for task in range(TASKS)]


def test_an_error_comes_after_what_came_before_it() -> None:
    assert until(Slow(not_ahead=[9], refused=[9]), InvalidInputError) == (list(range(9)), "9 is refused")


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    assert until(Slow(not_ahead=[3], stubborn=[3]), RuntimeError) == ([0, 1, 2], "StubbornError: 3")


def test_a_line_that_breaks_off_does_so_after_what_came_before() -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise InvalidInputError("the file ends here", pointer="/file")

    assert until(Slow(), InvalidInputError, broken()) == ([0, 1, 2, 3, 4], "the file ends here")


def test_a_process_that_is_ended_from_outside_ends_the_line() -> None:
    given, said = until(Slow(dies=[6]), in_turn.ProcessLostError)
    assert (given, said) == (list(range(6)), "One of the processes was ended from outside.")


def test_whoever_asks_for_no_more_leaves_no_process_behind() -> None:
    line: Any = in_turn.run(iter(range(TASKS)), work=Slow())
    next(line)
    line.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
