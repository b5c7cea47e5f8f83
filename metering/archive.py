"""Put a month of raw events away into a file, and bring it back; in between it is counted and traced from the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from django.db import transaction
from django.db.models import Max, Q

from core import audit, locks
from core.errors import DomainError
from metering import pausing, watermark
from metering.models import AggregationSnapshot, EventArchive, EventSealing, LaterSealing, Store
from metering.store import archive_files, archiving, chosen, late, partitions
from metering.store.archiving import MonthRows
from metering.store.protocol import Row


class MonthNotDetachableError(DomainError):
    """The month cannot be put away as it stands."""

    code = "month_not_detachable"


class MonthNotDetachedError(DomainError):
    """No file stands for this month."""

    code = "month_not_detached"


class ArchiveDiffersError(DomainError):
    """What was written is not what was read; nothing was changed."""

    code = "archive_differs"


@dataclass(frozen=True, slots=True)
class _Written:
    """A file on disk, proved against the table, that nothing refers to yet."""

    path: Path
    sha256: str
    count: int
    digest: str


def detach_month(*, month: date, at: datetime) -> EventArchive:
    """Write the month's events to a file, prove it by reading it back, and only then drop their table.

    Until the last moment capture goes on; an event of this month that comes meanwhile stops us, and we are run again.
    Events of the month that come later lie in a table or in the rest, and are counted beside the file.
    """
    month = month.replace(day=1)
    _require_detachable(month, at=at)
    settled_seq, last_sealing = watermark.find_settled_seq(), _find_last_sealing()
    rows = archiving.measure_month(month)
    written = _write(month, rows, at=at)
    archive = EventArchive(
        month=month,
        file_name=written.path.name,
        file_sha256=written.sha256,
        digest=written.digest,
        event_count=rows.count,
        first_seq=rows.first_seq,
        last_seq=rows.last_seq,
        detached_at=at,
    )
    try:
        with transaction.atomic():
            # Whoever counts holds it, as does whoever begins to seal: no window becomes late by a count now.
            locks.lock_exclusive(locks.LockClass.ARCHIVE)
            _require_nothing_late(month)
            drop = partial(_drop, archive, settled_seq=settled_seq, last_sealing=last_sealing)
            pausing.while_nobody_captures(drop)
    except DomainError:
        written.path.unlink()  # nothing refers to it, and it may hold in clear what has been sealed since
        raise
    partitions.forget_months()
    return archive


def _drop(archive: EventArchive, *, settled_seq: int, last_sealing: int) -> None:
    month = archive.month
    if not archiving.is_unchanged(month, first_seq=archive.first_seq, settled_seq=settled_seq):
        raise MonthNotDetachableError(
            f"Events of {month:%Y-%m} came or went while its file was written; run this again."
        )
    archiving.drop_month(month)  # it waits for who is just sealing some of these events
    _require_nothing_being_sealed(month)
    if _find_last_sealing() != last_sealing:
        raise MonthNotDetachableError(
            f"Events were sealed while the file of {month:%Y-%m} was written; run this again."
        )
    archive.save(force_insert=True)
    _note("events.month_detached", archive, at=archive.detached_at)


def attach_month(*, month: date, at: datetime) -> list[EventArchive]:
    """Put the events of the month's files back into its table, proved by the digest; the files stay where they are.

    Until the last moment capture goes on, and the month is counted from its files. Interrupted, we are run again.
    """
    month = month.replace(day=1)
    waiting = EventArchive.objects.filter(month=month, attached_at=None).order_by("first_seq")
    if waiting.exists() and month not in partitions.find_months():
        with pausing.saying_in_use():
            partitions.add_month(month)
    with transaction.atomic():
        archives = list(waiting.select_for_update())  # of two who bring it back, the second finds nothing
        if not archives:
            raise MonthNotDetachedError(f"No file stands for {month:%Y-%m}; there is nothing to bring back.")
        for archive in archives:
            _bring_back(archive)
        # Nobody sees these rows yet. Who reads the files ends first, and who looks for the last number waits.
        locks.lock_exclusive(locks.LockClass.ARCHIVE)
        pausing.while_nobody_captures(partial(_mark_attached, archives, at=at))
    return archives


def _mark_attached(archives: Sequence[EventArchive], *, at: datetime) -> None:
    for archive in archives:
        archive.attached_at = at
        archive.save(update_fields=["attached_at"])
        _note("events.month_attached", archive, at=at)


def _bring_back(archive: EventArchive) -> None:
    path = archive_files.require_file(archive.file_name, sha256=archive.file_sha256)
    archiving.insert_rows(archive.month, archive_files.read_rows(path))
    there = archiving.stream_rows(archive.month, first_seq=archive.first_seq, last_seq=archive.last_seq)
    if archive_files.digest_of(there) != (archive.event_count, archive.digest):
        raise ArchiveDiffersError(f"The events of {path} are not those that were put away; nothing was changed.")


def _require_detachable(month: date, *, at: datetime) -> None:
    if chosen.find_name() != Store.POSTGRES:
        raise MonthNotDetachableError(
            "Raw events live in ClickHouse; docs/clickhouse.md says how months go from there."
        )
    if month not in partitions.find_months():
        raise MonthNotDetachableError(f"There is no table of events for {month:%Y-%m}.")
    if at.astimezone(UTC).date() < archiving.next_month(month):
        raise MonthNotDetachableError(f"{month:%Y-%m} has not ended.")
    _require_nothing_being_sealed(month)
    _require_nothing_late(month)


def _require_nothing_being_sealed(month: date) -> None:
    """What lies in a file is not sealed any more."""
    if run := LaterSealing.objects.select_related("version__contract").filter(finished_at=None).first():
        raise MonthNotDetachableError(
            f"Earlier events are being sealed ({run}) for which {month:%Y-%m} must lie in its table; run this again "
            "once that is done."
        )


def _find_last_sealing() -> int:
    return EventSealing.objects.aggregate(last=Max("pk"))["last"] or 0


def _require_nothing_late(month: date) -> None:
    """What came late is found in the table alone, so it has to be billed before its month goes."""
    start, end = archiving.bounds(month)
    found = [window.snapshot_id for window in late.count_late_events(customer_ids=None, last_seq=None)]
    reach_it = Q(window_start__lt=end) | Q(meter_version__is_recurring=True)
    waiting = AggregationSnapshot.objects.filter(reach_it, pk__in=found, window_end__gt=start)
    if first := waiting.select_related("customer").first():
        raise MonthNotDetachableError(
            f"{first.customer.code} has late usage in {month:%Y-%m} that is not billed yet; close its next period "
            "first."
        )


def _write(month: date, rows: MonthRows, *, at: datetime) -> _Written:
    if not rows.count:
        raise MonthNotDetachableError(f"{month:%Y-%m} has no events; there is nothing to put away.")
    name = f"usage-events-{month:%Y-%m}-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}.parquet"
    path = archive_files.folder() / name
    count, digest = archive_files.write_file(path, _all_rows(month, rows))
    if archive_files.digest_of(archive_files.read_rows(path)) != (count, digest) or count != rows.count:
        raise ArchiveDiffersError(f"{path} does not hold what the table holds; nothing was changed.")
    return _Written(path=path, sha256=archive_files.hash_file(path), count=count, digest=digest)


def _all_rows(month: date, rows: MonthRows) -> Iterator[list[Row]]:
    return archiving.stream_rows(month, first_seq=rows.first_seq, last_seq=rows.last_seq)


def _note(action: str, archive: EventArchive, *, at: datetime) -> None:
    facts = {"file": archive.file_name, "sha256": archive.file_sha256, "events": archive.event_count}
    audit.append_entry(action=action, subject=f"events:{archive.month:%Y-%m}", actor=None, facts=facts, at=at)
