"""Bulk capture from files: the same checks as over HTTP, in chunks that are there as a whole or not at all."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core import canonical, collector
from core.errors import DomainError
from metering import backfills, files, import_forms, ingest
from metering.import_chunks import Chunk
from metering.import_forms import ImportRequest
from metering.ingest import Parcel, Ready
from metering.models import Backfill, CaptureBatch, ImportRun
from metering.rules import sorting
from metering.rules.contract import RuleBook
from metering.rules.sorting import Sorted
from metering.store.postgres import ORIGIN_LENGTH_MAX

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
class _Checked:
    """A chunk that was held against the rules and is to be written."""

    chunk: Chunk
    parcel: Parcel
    found: Sorted
    ready: Ready | None


def import_file(*, request: ImportRequest, at: datetime, progress: Progress | None = None) -> ImportReport:
    """Capture every row of a file; a run that was killed goes on after its last whole chunk.

    An event is known by source and id, so importing a file again adds nothing.
    """
    digest, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_chunks = import_forms.open_file(request)
    run = _find_run(request, digest=digest, at=at)
    report = ImportReport(run=run)
    with collector.paused():  # looking for cycles among ten thousand rows at every turn takes a fifth of the time
        for checked in _check_ahead(read_chunks(run.rows_done), origin=run.path_name[:ORIGIN_LENGTH_MAX], at=at):
            _import_chunk(report, checked)
            collector.collect_recent()
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
    read_chunks = import_forms.open_file(request)
    batch = backfills.find_backfill(name)
    for chunk in read_chunks(0):
        batch = backfills.stage_events(name=name, deliveries=chunk.deliveries, actor=batch.created_by)
        if progress is not None:
            progress(chunk.end_byte, size)
    return batch


def _check_ahead(chunks: Iterator[Chunk], *, origin: str, at: datetime) -> Iterator[_Checked]:
    """Check a chunk, and read the one after it, while the one before is written.

    A file that breaks off does so after what came before has been given out. Whoever takes the chunks asks the
    database; the thread beside never does.
    """

    def read_next() -> Chunk | Exception | None:
        try:
            return next(chunks, None)
        except Exception as error:  # noqa: BLE001  raised again in its turn
            return error

    before: _Checked | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="import") as beside:
        chunk = beside.submit(read_next).result()
        while isinstance(chunk, Chunk):
            rules = ingest.read_rules(chunk.deliveries, sent_at=at, at=at)
            checking = beside.submit(_check, chunk, rules, origin)
            reading_on = beside.submit(read_next)
            if before is not None:
                yield before
            before, chunk = checking.result(), reading_on.result()
        if before is not None:
            yield before
    if chunk is not None:
        raise chunk


def _check(chunk: Chunk, rules: RuleBook, origin: str) -> _Checked:
    parcel = Parcel(chunk.deliveries, CaptureBatch.Channel.IMPORT, origin)
    found = sorting.sort_delivery(chunk.deliveries, rules=rules)
    return _Checked(chunk, parcel, found, ingest.make_ready(parcel, found))


def _import_chunk(report: ImportReport, checked: _Checked) -> None:
    """Capture a chunk and note in the same commit how far the file has come."""
    run, last_line = report.run, checked.chunk.last_line
    ingest.prepare_months(checked.found)
    with transaction.atomic():
        result = ingest.store_parcel(checked.parcel, checked.found, checked.ready)
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
