"""Large files are imported by several processes: each checks and writes a chunk, and they commit in the file's order.

A chunk is written ahead of its turn, in a transaction that waits for the word; whoever was not plainly new and good
is done in its turn, and then nobody else has anything open. So what is noted of the file is always whole, and a
process that loses its parent loses its transaction with it.
"""

import os
import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection

import structlog
from django.db import connections

from core import collector
from core.errors import DomainError
from metering import import_storing
from metering.import_chunks import Chunk
from metering.import_storing import Checked, Job, Stored

WORKERS_MAX = 4
log = structlog.get_logger(__name__)


class ImportStoppedError(DomainError):
    """One of the processes came to an end; what has committed is noted, and the rest is not there."""

    code = "import_stopped"


class Said(Enum):
    """What worker and parent say to each other beside chunks and outcomes."""

    AHEAD = auto()  # written, and waiting for the word
    WAITING = auto()  # checked, and nothing written
    COMMIT = auto()
    WITHDRAW = auto()
    STORE = auto()


@dataclass(slots=True)
class _Worker:
    """A process, and where its chunk stands; `said` is None while it works."""

    pid: int
    pipe: Connection
    chunk: Chunk | None = None
    said: Said | None = None
    is_told: bool = False  # that its turn has come
    failed: Exception | None = None

    def tell(self, what: object) -> None:
        self.pipe.send(what)

    def end(self) -> None:
        """Whatever it has written and not committed is gone with it."""
        self.pipe.close()
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def store_chunks(chunks: Iterator[Chunk], *, job: Job, rows_done: int) -> Generator[tuple[Chunk, Stored]]:
    """Store them all; give each once it has committed, in order, and nothing more commits until the next is asked for.

    A file that breaks off does so after what came before has been given out.
    """
    workers: list[_Worker] = []
    line = _Line(workers, chunks, rows_done)
    try:
        # One more than there are processors, for now and then each waits for its turn, and for the disk.
        for _number in range(min(WORKERS_MAX, len(os.sched_getaffinity(0)) + 1)):
            workers.append(_start(job, others=[worker.pipe for worker in workers]))
        yield from line.run()
    except (EOFError, OSError) as error:
        raise ImportStoppedError("A process of the import was ended from outside; run it again to go on.") from error
    finally:
        for worker in workers:
            worker.end()
    if line.broken is not None:
        raise line.broken


class _Line:
    """The chunks under way, in the order of the file."""

    def __init__(self, workers: list[_Worker], chunks: Iterator[Chunk], rows_done: int) -> None:
        self.workers, self.idle, self.under_way = workers, deque[_Worker](), deque[_Worker]()
        self.chunks, self.last_line = chunks, rows_done
        self.following: Chunk | None = None
        self.broken: Exception | None = None  # what the file broke off with

    def run(self) -> Iterator[tuple[Chunk, Stored]]:
        self.idle.extend(self.workers)
        self._read_on()
        while self.under_way or self.following is not None:
            while self.idle and self.following is not None:
                self._hand_out(self.idle.popleft(), self.following)
            self._give_turn()
            yield from self._listen()

    def _read_on(self) -> None:
        self.following = None
        try:
            self.following = next(self.chunks, None)
        except Exception as error:  # noqa: BLE001  raised again in its turn
            self.broken = error

    def _hand_out(self, worker: _Worker, chunk: Chunk) -> None:
        worker.chunk, worker.said, worker.is_told = chunk, None, False
        worker.tell((chunk, self.last_line))
        self.under_way.append(worker)
        self.last_line = chunk.last_line
        self._read_on()

    def _give_turn(self) -> None:
        """Let the first of the line go on; what is not plain goes on alone, so the others take back what is open."""
        first = self.under_way[0]
        if first.failed is not None:
            raise first.failed
        if first.is_told or first.said is None:
            return
        first.is_told = True
        if first.said is Said.WAITING:
            for other in self.under_way:
                self._withdraw(other)
        first.tell(Said.COMMIT if first.said is Said.AHEAD else Said.STORE)

    def _withdraw(self, worker: _Worker) -> None:
        if worker.said is Said.AHEAD:
            worker.tell(Said.WITHDRAW)
            worker.said = Said.WAITING

    def _listen(self) -> Iterator[tuple[Chunk, Stored]]:
        ready = pipes.wait([worker.pipe for worker in self.under_way])
        for worker in [one for one in self.under_way if one.pipe in ready]:
            heard = worker.pipe.recv()
            if isinstance(heard, Exception):
                worker.failed = heard
            elif not isinstance(heard, Stored):
                worker.said = heard
                if self._is_one_alone():
                    self._withdraw(worker)
            elif worker.chunk is not None:
                self.under_way.remove(worker)
                self.idle.append(worker)
                yield worker.chunk, heard

    def _is_one_alone(self) -> bool:
        first = self.under_way[0]
        return first.is_told and first.said is Said.WAITING


def _start(job: Job, *, others: list[Connection]) -> _Worker:
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
            _serve(theirs, job)
        finally:
            os._exit(0)
    theirs.close()
    return _Worker(pid, ours)


def _serve(pipe: Connection, job: Job) -> None:
    """Take one chunk after the other until the parent closes the pipe or is gone."""
    with suppress(EOFError, OSError), collector.paused():
        while True:
            chunk, after_line = pipe.recv()
            try:
                pipe.send(_take(chunk, after_line, pipe, job))
            except (EOFError, OSError):
                raise
            except DomainError as error:
                pipe.send(error)
            except Exception as error:
                log.exception("import_stopped", after_line=after_line)
                pipe.send(ImportStoppedError(f"The import stopped after line {after_line}: {error}"))
            del chunk
            collector.collect_recent()


class _WithdrawnError(Exception):
    """What was written ahead is taken back."""


def _take(chunk: Chunk, after_line: int, pipe: Connection, job: Job) -> Stored:
    checked = import_storing.check(chunk, job=job, after_line=after_line)
    with suppress(_WithdrawnError):
        return _store_ahead(checked, pipe, job)
    _expect(Said.STORE, pipe.recv())
    return import_storing.store(checked, job=job)


def _store_ahead(checked: Checked, pipe: Connection, job: Job) -> Stored:
    with import_storing.ahead(checked) as is_written:
        pipe.send(Said.AHEAD if is_written else Said.WAITING)
        if not is_written or pipe.recv() is Said.WITHDRAW:
            raise _WithdrawnError
        return import_storing.note_ahead(checked, job=job)


def _expect(wanted: Said, heard: Said) -> None:
    if heard is not wanted:
        raise ValueError(f"{heard} where {wanted} was to come")
