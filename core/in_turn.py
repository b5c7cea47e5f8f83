"""Several processes work ahead of their turn and commit one after the other, in the order of what they were given.

What a task does ahead stays in a transaction that waits for the word. What could not be done ahead is done alone when
its turn comes, while the others take back what they have open, so it may wait for their locks; after it they begin
again, ahead as before. What has committed is always a whole beginning of the line, and a process that loses its parent
loses its transaction with it.
"""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection
from typing import Generic, Protocol, TypeVar

import structlog
from django.db import connections

from core import collector
from core.errors import DomainError

PROCESSES_MAX = 4
Task = TypeVar("Task")
Outcome = TypeVar("Outcome")
Task_contra = TypeVar("Task_contra", contravariant=True)
Outcome_co = TypeVar("Outcome_co", covariant=True)
log = structlog.get_logger(__name__)


class ProcessLostError(Exception):
    """One of the processes was ended from outside; what has committed stays, and nothing else is there."""


class Work(Protocol[Task_contra, Outcome_co]):
    """How a task is done; both ways commit before they give their outcome, which can be pickled."""

    def ahead(self, task: Task_contra, /) -> AbstractContextManager[Callable[[], Outcome_co] | None]:
        """Do what can be done before its turn; give what is left to do then, inside of the block, or None for all.

        It is begun again where another had to be done alone meanwhile.
        """

    def alone(self, task: Task_contra, /) -> Outcome_co:
        """Do it from the start, in its turn, while the others take back what they have open."""


class _Said(Enum):
    """What process and parent say to each other beside tasks and outcomes."""

    AHEAD = auto()  # done as far as may be, and waiting for the word
    WAITING = auto()  # not to be done ahead; nothing is open
    WITHDRAWN = auto()  # nothing is open until another has been done alone
    FINISH = auto()
    WITHDRAW = auto()
    AGAIN = auto()
    ALONE = auto()


@dataclass(frozen=True, slots=True)
class _Done(Generic[Outcome]):
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class _WithdrawnError(Exception):
    """What was done ahead is taken back."""


@dataclass(slots=True)
class _Process(Generic[Task]):
    """A process, and where its task stands; `said` is None while it works."""

    pid: int
    pipe: Connection
    tasks: list[Task]  # the one under way, or none
    said: _Said | None = None
    is_told: bool = False  # that its turn has come
    failed: Exception | None = None

    def take(self, task: Task) -> None:
        self.tasks, self.said, self.is_told = [task], None, False
        self.pipe.send(task)

    def tell(self, word: _Said) -> None:
        self.pipe.send(word)
        self.is_told = True

    def withdraw(self) -> None:
        if self.said is _Said.AHEAD:
            self.pipe.send(_Said.WITHDRAW)
            self.said = _Said.WITHDRAWN

    def begin_again(self) -> None:
        if self.said is _Said.WITHDRAWN:
            self.pipe.send(_Said.AGAIN)
            self.said = None

    def end(self) -> None:
        """Whatever it has not committed is gone with it."""
        self.pipe.close()
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def count_processes() -> int:
    """One more than there are processors, for now and then each waits for its turn, and for the disk."""
    return min(PROCESSES_MAX, len(os.sched_getaffinity(0)) + 1)


def run(tasks: Iterator[Task], *, work: Work[Task, Outcome]) -> Generator[tuple[Task, Outcome]]:
    """Do them all; give each with its outcome once it has committed, in order.

    Nothing more commits until the next is asked for. A task that fails alone ends the line with its error, as does an
    iterator that breaks off, after what came before has been given out. ProcessLostError where a process was ended.
    """
    processes: list[_Process[Task]] = []
    line: _Line[Task, Outcome] = _Line(processes, tasks)
    try:
        for _number in range(count_processes()):
            processes.append(_start(work, others=[process.pipe for process in processes]))
        yield from line.run()
    except (EOFError, OSError) as error:
        raise ProcessLostError("One of the processes was ended from outside.") from error
    finally:
        for process in processes:
            process.end()
    if line.broken is not None:
        raise line.broken


class _Line(Generic[Task, Outcome]):
    """The tasks under way, in their order."""

    def __init__(self, processes: list[_Process[Task]], tasks: Iterator[Task]) -> None:
        self.processes, self.tasks = processes, tasks
        self.idle, self.under_way = deque[_Process[Task]](), deque[_Process[Task]]()
        self.following: list[Task] = []  # read and not handed out: one, or none
        self.broken: Exception | None = None  # what the tasks broke off with

    def run(self) -> Iterator[tuple[Task, Outcome]]:
        self.idle.extend(self.processes)
        self._read_on()
        while self.under_way or self.following:
            while self.idle and self.following:
                process = self.idle.popleft()
                process.take(self.following.pop())
                self.under_way.append(process)
                self._read_on()
            self._give_turn()
            yield from self._listen()

    def _read_on(self) -> None:
        try:
            self.following += [next(self.tasks)]
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001  raised again in its turn
            self.broken = error

    def _give_turn(self) -> None:
        """Let the first of the line go on; what goes on alone has the others take back what is open."""
        first = self.under_way[0]
        if first.failed is not None:
            raise first.failed
        if first.is_told:
            return
        if first.said is _Said.WAITING:
            for other in self.under_way:
                other.withdraw()
            first.tell(_Said.ALONE)
            return
        for process in self.under_way:
            process.begin_again()
        if first.said is _Said.AHEAD:
            first.tell(_Said.FINISH)

    def _listen(self) -> Iterator[tuple[Task, Outcome]]:
        ready = pipes.wait([process.pipe for process in self.under_way])
        for process in [one for one in self.under_way if one.pipe in ready]:
            match process.pipe.recv():
                case _Failed(error):
                    process.failed = error
                case _Done(outcome):
                    self.under_way.remove(process)
                    self.idle.append(process)
                    yield process.tasks[0], outcome
                case said:
                    process.said, process.is_told = said, False  # what fails in its turn gets another, alone
                    if self._is_one_alone():
                        process.withdraw()

    def _is_one_alone(self) -> bool:
        first = self.under_way[0]
        return first.is_told and first.said is _Said.WAITING


def _start(work: Work[Task, Outcome], *, others: list[Connection]) -> _Process[Task]:
    ours, theirs = pipes.Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for pipe in (*others, ours):
                pipe.close()  # else it would stay open here when the parent is gone, and nobody would hear of it
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends us
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for inherited in connections.all(initialized_only=True):
                inherited.connection = None  # the parent's; libpq leaves alone what another process opened
            _serve(theirs, work)
        finally:
            os._exit(0)
    theirs.close()
    return _Process(pid, ours, [])


def _serve(pipe: Connection, work: Work[Task, Outcome]) -> None:
    """Take one task after the other until the parent closes the pipe or is gone."""
    with suppress(EOFError, OSError), collector.paused():
        while True:
            task = pipe.recv()
            try:
                pipe.send(_Done(_do(task, pipe, work)))
            except (EOFError, OSError):
                raise
            except Exception as error:
                if not isinstance(error, DomainError):
                    log.exception("task_failed")
                pipe.send(_Failed(_portable(error)))
            del task
            collector.collect_recent()


def _portable(error: Exception) -> Exception:
    """The error itself if the parent can read it."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    except Exception:  # noqa: BLE001  errors are made in many ways
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _do(task: Task, pipe: Connection, work: Work[Task, Outcome]) -> Outcome:
    while True:
        try:
            return _do_ahead(task, pipe, work)
        except (EOFError, OSError):
            raise
        except _WithdrawnError:
            pass
        except Exception:
            # Nothing is lost: it is done again, alone, and fails there if it has to.
            log.warning("not_finished_ahead", exc_info=True)
            pipe.send(_Said.WAITING)
        match pipe.recv():
            case _Said.ALONE:
                return work.alone(task)
            case _Said.AGAIN:
                continue
            case heard:
                raise ValueError(f"{heard} where a turn was to come")


def _do_ahead(task: Task, pipe: Connection, work: Work[Task, Outcome]) -> Outcome:
    with work.ahead(task) as finish:
        pipe.send(_Said.WAITING if finish is None else _Said.AHEAD)
        if finish is None or pipe.recv() is _Said.WITHDRAW:
            raise _WithdrawnError
        return finish()
