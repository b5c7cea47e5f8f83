"""Bulk capture from files: the same checks as over HTTP, in chunks that are there as a whole or not at all."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models.functions import Now

from core import canonical, collector
from metering import backfills, files, import_forms, import_storing, import_workers
from metering.import_chunks import Chunk
from metering.import_forms import ImportRequest
from metering.import_storing import Job, Stored
from metering.models import Backfill, ImportRun

Progress = Callable[[int, int], None]
BESIDE_BYTES_MIN = 4 * 1024 * 1024  # of a file for which processes of their own are worth their start


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of the rows of a file, over all the runs that it took; `reasons` are those of this run."""

    run: ImportRun
    reasons: Counter[str] = field(default_factory=Counter)


def import_file(*, request: ImportRequest, at: datetime, progress: Progress | None = None) -> ImportReport:
    """Capture every row of a file; a run that was killed goes on after its last whole chunk.

    An event is known by source and id, so importing a file again adds nothing.
    """
    digest, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_chunks = import_forms.open_file(request)
    run = _find_run(request, digest=digest, at=at)
    report = ImportReport(run=run)
    job = Job(run_id=run.pk, name=run.path_name, at=at)
    # Processes of their own see nothing of a transaction that their parent is in.
    is_alone = size < BESIDE_BYTES_MIN or connection.in_atomic_block
    store_chunks = _store_chunks if is_alone else import_workers.store_chunks
    all_stored = store_chunks(read_chunks(run.rows_done), job=job, rows_done=run.rows_done)
    # Looking for cycles among ten thousand rows at every turn takes a fifth of the time.
    with collector.paused(), closing(all_stored):
        for chunk, stored in all_stored:
            report.reasons.update(stored.reasons)
            collector.collect_recent()
            if progress is not None:
                progress(chunk.end_byte, size)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db()
    return report


def _store_chunks(chunks: Iterator[Chunk], *, job: Job, rows_done: int) -> Generator[tuple[Chunk, Stored]]:
    """Store one after the other, in this process."""
    for chunk in chunks:
        checked = import_storing.check(chunk, job=job, after_line=rows_done)
        yield chunk, import_storing.store(checked, job=job)
        rows_done = chunk.last_line


def stage_file(*, request: ImportRequest, name: str, progress: Progress | None = None) -> Backfill:
    """Put every row of a file into an open backfill, in the name of whoever opened it.

    A run that was killed is simply run again: what is staged twice is captured once.
    """
    _, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_chunks = import_forms.open_file(request)
    batch = backfills.find_backfill(name)
    for chunk in read_chunks(0):
        batch = backfills.stage_events(name=name, deliveries=chunk.read_deliveries(), actor=batch.created_by)
        if progress is not None:
            progress(chunk.end_byte, size)
    return batch


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
