"""Bulk capture from files: the same checks as over HTTP, in chunks that are there as a whole or not at all."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core import canonical
from core.errors import DomainError
from metering import files, import_forms, ingest
from metering.files import Row
from metering.import_forms import ImportRequest, Record
from metering.models import CaptureBatch, ImportRun
from metering.rules.reading import Delivery

# Capture's lock is held while a chunk is written, and a close waits for it: small enough to be a blink.
CHUNK_ROWS = 1000
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


def import_file(*, request: ImportRequest, at: datetime, progress: Progress | None = None) -> ImportReport:
    """Capture every row of a file; a run that was killed goes on after its last whole chunk.

    An event is known by source and id, so importing a file again adds nothing.
    """
    digest, size = files.examine_file(request.path, is_text=request.form != "parquet")
    read_records, read_chunk = import_forms.open_file(request)
    run = _find_run(request, digest=digest, at=at)
    report = ImportReport(run=run)
    for chunk in _chunks(read_records(run.rows_done), after_line=run.rows_done):
        _import_chunk(report, read_chunk(chunk), last_line=_last_line(chunk[-1]), at=at)
        if progress is not None:
            progress(chunk[-1].end_byte, size)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db()
    return report


def _import_chunk(report: ImportReport, deliveries: Sequence[Delivery], *, last_line: int, at: datetime) -> None:
    """Capture a chunk and note in the same commit how far the file has come."""
    run = report.run
    found = ingest.check_events(deliveries, sent_at=at, at=at)
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
    for record in records:
        if record.number <= after_line:
            chunk_start = record.end_byte
            continue
        chunk.append(record)
        if len(chunk) == CHUNK_ROWS or record.end_byte - chunk_start > CHUNK_BYTES:
            yield chunk
            chunk, chunk_start = [], record.end_byte
    if chunk:
        yield chunk


def _last_line(record: Record) -> int:
    return record.last_line if isinstance(record, Row) else record.number
