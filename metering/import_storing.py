"""What happens to a chunk of an imported file: checked, written, and noted in the same commit as how far it goes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from core.errors import DomainError
from metering import import_plain, ingest
from metering.import_chunks import Chunk
from metering.ingest import CaptureResult, Parcel, Ready
from metering.models import CaptureBatch, ImportRun
from metering.rules.sorting import Sorted
from metering.store import partitions, postgres
from metering.store.postgres import ORIGIN_LENGTH_MAX

# Whoever writes ahead of its turn gives way: those whom it waits for may wait for it in the end.
AHEAD_LOCK_TIMEOUT = "500ms"
CHANNEL = CaptureBatch.Channel.IMPORT


class ImportRunningError(DomainError):
    """Another process is importing the same file."""

    code = "import_running"


@dataclass(frozen=True, slots=True)
class Job:
    """The import that chunks belong to, and what its events are judged by."""

    run_id: int
    name: str
    at: datetime

    @property
    def origin(self) -> str:
        return self.name[:ORIGIN_LENGTH_MAX]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a chunk, which has committed."""

    accepted: int
    duplicates: int
    quarantined: int
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Checked:
    """A chunk that was held against the rules; `after_line` is where the one before it ends.

    Plain events are `ready` without having been looked at one by one, and there is nothing to say of each.
    """

    chunk: Chunk
    looked_at: "_LookedAt | None"
    ready: Ready | None
    times: Sequence[str]
    after_line: int


@dataclass(frozen=True, slots=True)
class _LookedAt:
    """The events of a chunk, and what was found of each."""

    parcel: Parcel
    found: Sorted


def check(chunk: Chunk, *, job: Job, after_line: int) -> Checked:
    """Read a chunk and hold its events against the rules of this moment."""
    plain = import_plain.read_plain(chunk.read_event_lines(), at=job.at)
    if plain is not None:
        ready = ingest.make_plain_ready(plain.events, types=plain.types, channel=CHANNEL, origin=job.origin)
        if ready is not None:
            return Checked(chunk, None, ready, plain.events.times, after_line)
    looked_at = _look_closely(chunk, job)
    ready = ingest.make_ready(looked_at.parcel, looked_at.found)
    return Checked(chunk, looked_at, ready, ingest.times_of(looked_at.found), after_line)


def _look_closely(chunk: Chunk, job: Job) -> _LookedAt:
    deliveries = chunk.read_deliveries()
    found = ingest.check_events(deliveries, sent_at=job.at, at=job.at)
    return _LookedAt(Parcel(deliveries, CHANNEL, job.origin), found)


def store(checked: Checked, *, job: Job) -> Stored:
    """Capture a chunk whose turn it is, whatever is in it, and note how far the file has come."""
    partitions.prepare_months(checked.times)
    with transaction.atomic():
        stored = _stored(_capture(checked, job))
        _note(stored, checked, job)
    return stored


def _capture(checked: Checked, job: Job) -> CaptureResult:
    if checked.looked_at is not None:
        return ingest.store_parcel(checked.looked_at.parcel, checked.looked_at.found, checked.ready)
    if checked.ready is not None and postgres.insert_deliveries(checked.ready.written_out):
        return checked.ready.result
    looked_at = _look_closely(checked.chunk, job)
    return ingest.store_parcel(looked_at.parcel, looked_at.found, None)


@contextmanager
def ahead(checked: Checked) -> Iterator[bool]:
    """Write a chunk before its turn has come; false where nothing was written, for it is to be done in its turn.

    Only what is plainly new and good is written ahead. Inside the block nothing has committed.
    """
    if checked.ready is None or not partitions.are_prepared(checked.times):
        yield False
        return
    with transaction.atomic(durable=True):
        is_written = _write_ahead(checked.ready)
        yield is_written


def _write_ahead(ready: Ready) -> bool:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{AHEAD_LOCK_TIMEOUT}'")
                is_written = postgres.insert_deliveries(ready.written_out)
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")  # when its turn has come it may wait
            return is_written
    except DatabaseError:  # it waited too long; whatever else it was is met again in its turn
        return False


def note_ahead(checked: Checked, *, job: Job) -> Stored:
    """Its turn has come: note how far the file has come by what was written ahead, before that commits."""
    if checked.ready is None:
        raise ValueError("nothing was written ahead")
    stored = _stored(checked.ready.result)
    _note(stored, checked, job)
    return stored


def _stored(result: CaptureResult) -> Stored:
    reasons = Counter(item.reasons[0].code for item in result.items if item.reasons)
    return Stored(result.accepted, result.duplicates, result.quarantined, reasons)


def _note(stored: Stored, checked: Checked, job: Job) -> None:
    moved = ImportRun.objects.filter(pk=job.run_id, rows_done=checked.after_line).update(
        rows_done=checked.chunk.last_line,
        accepted=F("accepted") + stored.accepted,
        duplicates=F("duplicates") + stored.duplicates,
        quarantined=F("quarantined") + stored.quarantined,
    )
    if not moved:
        raise ImportRunningError(f"Another process is importing {job.name}; let it finish.")
