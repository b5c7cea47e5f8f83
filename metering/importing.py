"""Bulk capture from files: the same checks as over HTTP, in chunks that are there as a whole or not at all."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core import canonical, collector
from core.errors import DomainError
from metering import backfills, files, import_forms, ingest
from metering.files import Row, UnusableFileError
from metering.import_forms import ImportRequest, Record
from metering.models import Backfill, CaptureBatch, ImportRun
from metering.rules import reading, sorting
from metering.rules.reading import Delivery
from metering.rules.sorting import Sorted

# Capture's lock is held while a chunk is written, and a close waits for it: a blink still. Every chunk is a commit, so
# a larger one costs less; more than this no delivery may hold.
CHUNK_ROWS = reading.EVENTS_MAX
PIECE_ROWS = 1000
CHUNK_BYTES = 4 * 1024 * 1024
Progress = Callable[[int, int], None]


class ImportRunningError(DomainError):
    """Another process is importing the same file."""

    code = "import_running"


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of the rows of a file, over all the runs that it took; `reasons` are those of this run."""

    run: ImportRun
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some rows of the file, and up to where they go."""

    deliveries: Sequence[Delivery]
    last_line: int
    end_byte: int


@dataclass(frozen=True, slots=True)
class _Checked:
    """A chunk that was held against the rules and is to be written."""

    chunk: _Chunk
    found: Sorted


def import_file(*, request: ImportRequest, at: datetime, progress: Progress | None = None) -> ImportReport:
    """Capture every row of a file; a run that was killed goes on after its last whole chunk.

    An event is known by source and id, so importing a file again adds nothing.
    """
    digest, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_records, read_chunk = import_forms.open_file(request)
    run = _find_run(request, digest=digest, at=at)
    report = ImportReport(run=run)
    chunks = _read(_chunks(read_records(run.rows_done), after_line=run.rows_done), read_chunk)
    for checked in _check_ahead(chunks, at=at):
        with collector.paused():
            _import_chunk(report, checked)
        if progress is not None:
            progress(checked.chunk.end_byte, size)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db()
    return report


def stage_file(*, request: ImportRequest, name: str, progress: Progress | None = None) -> Backfill:
    """Put every row of a file into an open backfill, in the name of whoever opened it.

    A run that was killed is simply run again: what is staged twice is captured once.
    """
    _, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_records, read_chunk = import_forms.open_file(request)
    batch = backfills.find_backfill(name)
    for chunk in _chunks(read_records(0), after_line=0):
        batch = backfills.stage_events(name=name, deliveries=read_chunk(chunk), actor=batch.created_by)
        if progress is not None:
            progress(chunk[-1].end_byte, size)
    return batch


def _read(chunks: Iterator[list[Record]], read_chunk: import_forms.ReadChunk) -> Iterator[_Chunk]:
    for chunk in chunks:
        yield _Chunk(read_chunk(chunk), last_line=_last_line(chunk[-1]), end_byte=chunk[-1].end_byte)


def _check_ahead(chunks: Iterator[_Chunk], *, at: datetime) -> Iterator[_Checked]:
    """Check a chunk, and read the one after it, while the one before is written.

    A file that breaks off does so after what came before has been given out. Whoever takes the chunks asks the
    database; the thread beside never does.
    """

    def read_next() -> _Chunk | Exception | None:
        try:
            return next(chunks, None)
        except Exception as error:  # noqa: BLE001  raised again in its turn
            return error

    before: _Checked | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="import") as beside:
        chunk = beside.submit(read_next).result()
        while isinstance(chunk, _Chunk):
            rules = ingest.read_rules(chunk.deliveries, sent_at=at, at=at)
            checking = beside.submit(sorting.sort_delivery, chunk.deliveries, rules=rules)
            reading_on = beside.submit(read_next)
            if before is not None:
                yield before
            before, chunk = _Checked(chunk, checking.result()), reading_on.result()
        if before is not None:
            yield before
    if chunk is not None:
        raise chunk


def _import_chunk(report: ImportReport, checked: _Checked) -> None:
    """Capture a chunk and note in the same commit how far the file has come."""
    run, deliveries, found, last_line = report.run, checked.chunk.deliveries, checked.found, checked.chunk.last_line
    ingest.prepare_months(found)
    with transaction.atomic():
        origin = run.path_name[:200]
        result = ingest.store_events(deliveries, found, channel=CaptureBatch.Channel.IMPORT, origin=origin)
        moved = ImportRun.objects.filter(pk=run.pk, rows_done=run.rows_done).update(
            rows_done=last_line,
            accepted=F("accepted") + result.accepted,
            duplicates=F("duplicates") + result.duplicates,
            quarantined=F("quarantined") + result.quarantined,
        )
        if not moved:
            raise ImportRunningError(f"Another process is importing {run.path_name}; let it finish.")
    run.rows_done = last_line
    report.reasons.update(item.reasons[0].code for item in result.items if item.reasons)


def _find_run(request: ImportRequest, *, digest: str, at: datetime) -> ImportRun:
    """Go on with the same file, mapped the same way, where it was left; else begin anew."""
    columns = request.columns
    mapping = canonical.content_hash(
        [
            request.path.name,
            request.form,
            request.customer_code,
            request.event_type,
            request.source,
            columns.time,
            columns.id,
            dict(columns.data),
        ]
    )
    left = ImportRun.objects.filter(file_sha256=digest, mapping_hash=mapping, finished_at=None).order_by("pk").last()
    return left or ImportRun.objects.create(
        path_name=request.path.name[:300], file_sha256=digest, mapping_hash=mapping, started_at=at
    )


def _chunks(records: Iterable[Record], *, after_line: int) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    chunk_start = 0
    try:
        for record in records:
            if record.number <= after_line:
                chunk_start = record.end_byte
                continue
            chunk.append(record)
            if len(chunk) == CHUNK_ROWS or record.end_byte - chunk_start > CHUNK_BYTES:
                yield chunk
                chunk, chunk_start = [], record.end_byte
    except UnusableFileError:  # of what was read before the file broke off, whole pieces come in
        if whole := len(chunk) // PIECE_ROWS * PIECE_ROWS:
            yield chunk[:whole]
        raise
    if chunk:
        yield chunk


def _last_line(record: Record) -> int:
    return record.last_line if isinstance(record, Row) else record.number
