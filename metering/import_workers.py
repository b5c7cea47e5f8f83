"""Large files are imported by several processes: each checks and writes a chunk, and they commit in the file's order.

A chunk is written ahead of its turn if it is plainly new and good (`core.in_turn`), so what is noted of the file is
always whole.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from core import in_turn
from core.errors import DomainError
from metering import import_storing
from metering.import_chunks import Chunk
from metering.import_storing import Checked, Job, Stored

log = structlog.get_logger(__name__)


class ImportStoppedError(DomainError):
    """One of the processes came to an end; what has committed is noted, and the rest is not there."""

    code = "import_stopped"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk, and the line of the file where the one before it ends."""

    chunk: Chunk
    after_line: int


class _Importing:
    """How a chunk is stored while others are; what was checked ahead of a turn is not checked again in it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.checked: Checked | None = None

    @contextmanager
    def ahead(self, piece: _Piece) -> Iterator[Callable[[], Stored] | None]:
        """Check it, and write it if it is plainly new and good; None where nothing was written."""
        checked = self._check(piece)
        with import_storing.ahead(checked) as is_written:
            yield partial(import_storing.note_ahead, checked, job=self.job) if is_written else None

    def alone(self, piece: _Piece) -> Stored:
        """Store it, whatever is in it."""
        try:
            return import_storing.store(self._check(piece), job=self.job)
        except DomainError:
            raise
        except Exception as error:
            log.exception("import_stopped", after_line=piece.after_line)
            raise ImportStoppedError(f"The import stopped after line {piece.after_line}: {error}") from error

    def _check(self, piece: _Piece) -> Checked:
        if self.checked is None or self.checked.after_line != piece.after_line:
            self.checked = None  # the one before goes before there is another
            self.checked = import_storing.check(piece.chunk, job=self.job, after_line=piece.after_line)
        return self.checked


def store_chunks(chunks: Iterator[Chunk], *, job: Job, rows_done: int) -> Generator[tuple[Chunk, Stored]]:
    """Store them all; give each once it has committed, in order, and nothing more commits until the next is asked for.

    A file that breaks off does so after what came before has been given out.
    """
    try:
        for piece, stored in in_turn.run(_pieces(chunks, rows_done), work=_Importing(job)):
            yield piece.chunk, stored
    except in_turn.ProcessLostError as error:
        raise ImportStoppedError("A process of the import was ended from outside; run it again to go on.") from error


def _pieces(chunks: Iterator[Chunk], rows_done: int) -> Iterator[_Piece]:
    for chunk in chunks:
        yield _Piece(chunk, rows_done)
        rows_done = chunk.last_line
