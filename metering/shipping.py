"""Accepted events go on to the store of raw events by blocks; each is counted there before it leaves PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import pgtrigger
from django.db import connection, transaction

from core import locks
from core.errors import DomainError
from metering.models import Shipment, Store, StoreCopy
from metering.store import chosen
from metering.store.protocol import EventStore, Row, Span

BLOCK_EVENTS = 50_000
BLOCK_BYTES = 64 * 2**20  # of data; one event has up to 256 KiB
SIZES_AT_ONCE = 500
ROWS_MAX = 2 * BLOCK_EVENTS  # a month that came back may have put its rows between those that were noted
_WAITS = "SELECT EXISTS (SELECT FROM metering_usageevent WHERE seq > %s AND seq <= %s)"
_SIZES = """
SELECT seq, octet_length(data::text) FROM metering_usageevent WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s
"""
# Only what was sent: a month may have come back meanwhile. The times let PostgreSQL leave out other months.
_REMOVE = "DELETE FROM metering_usageevent WHERE seq = ANY(%s) AND occurred_at BETWEEN %s AND %s"


class ShipmentDiffersError(DomainError):
    """The other store does not hold what was sent."""

    code = "shipment_differs"
    http_status = 503


def ship_pending(*, settled_seq: int, at: datetime) -> int:
    """Ship the next block of events up to `settled_seq`, below which none can appear; how many there were, 0 for none.

    A block is noted before it goes, so one that was interrupted goes again as it was, under the same token. Where
    somebody else was quicker with a block, it is the one after that goes.
    """
    while (shipment_id := _note_next(settled_seq, at=at)) is not None:
        if count := _ship(shipment_id, at=at):
            return count
    return 0


def ship_all(*, settled_seq: int, at: datetime) -> None:
    """Ship until everything up to `settled_seq` is in the store that holds the raw events."""
    while chosen.find_name() != Store.POSTGRES and _waits(settled_seq) and ship_pending(settled_seq=settled_seq, at=at):
        continue


def ship_old_too(*, settled_seq: int, at: datetime) -> None:
    """Ship all that lies here up to `settled_seq`, also what came back from a file and has an old number."""
    while ship_pending(settled_seq=settled_seq, at=at):
        continue


def _waits(settled_seq: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, [chosen.find_shipped_seq(), settled_seq])
        return bool(cursor.fetchall()[0][0])


def _lock_target() -> EventStore | None:
    """Hold where events go until the transaction ends; None while they stay here.

    A copy begins under the same lock, and without a copy there is no switch. So the copy is looked for first.
    """
    locks.lock_exclusive(locks.LockClass.SHIPMENT)
    if StoreCopy.objects.exists() or (name := chosen.find_name()) == Store.POSTGRES:
        return None
    return chosen.store_of(name)


def _note_next(settled_seq: int, *, at: datetime) -> int | None:
    """Give the oldest block that waits, or note one."""
    with transaction.atomic():
        if _lock_target() is None:
            return None
        waiting = Shipment.objects.filter(shipped_at=None).order_by("pk").first()
        noted = waiting or _note_block(settled_seq, at=at)
    return None if noted is None else noted.pk


def _note_block(settled_seq: int, *, at: datetime) -> Shipment | None:
    """What is new goes first; what a switch has copied already is cleared away when nothing else waits."""
    shipped = chosen.find_shipped_seq()
    for after, up_to in ((shipped, settled_seq), (0, min(shipped, settled_seq))):
        if seqs := _find_block(after, up_to):
            return Shipment.objects.create(first_seq=seqs[0], last_seq=seqs[-1], event_count=len(seqs), noted_at=at)
    return None


def _find_block(after: int, up_to: int) -> list[int]:
    """Number the first events, as many as a process can hold at once; the cursor reads no further than that."""
    seqs, size = list[int](), 0
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SIZES, [after, up_to, BLOCK_EVENTS])
        while rows := cursor.fetchmany(SIZES_AT_ONCE):
            for seq, length in rows:
                seqs.append(seq)
                size += length
                if size >= BLOCK_BYTES:
                    return seqs
    return seqs


def _ship(shipment_id: int, *, at: datetime) -> int:
    with transaction.atomic():
        there = _lock_target()
        shipment = Shipment.objects.get(pk=shipment_id)
        if there is None or shipment.shipped_at is not None:  # a copy has begun, or somebody else was quicker
            return 0
        span = Span(first_seq=shipment.first_seq, last_seq=shipment.last_seq)
        here = chosen.store_of(Store.POSTGRES)
        # None where they went into a file, or there and back with a switch, since they were noted.
        if rows := here.page(span, limit=ROWS_MAX):
            token = f"shipment-{shipment.pk}-{rows[0][0]}-{rows[-1][0]}-{len(rows)}"
            _send(rows, here, there, span=span, token=token)
            _remove(rows)
        shipment.shipped_at = at
        shipment.save(update_fields=["shipped_at"])
    return shipment.event_count


def _send(rows: Sequence[Row], here: EventStore, there: EventStore, *, span: Span, token: str) -> None:
    there.insert(rows, token=token)
    if not _arrived(rows, here, there, span=span):
        raise ShipmentDiffersError(
            f"Events {span.first_seq} to {span.last_seq} are {len(rows):,} here, and the other store does not hold all "
            "of them; they stay here and go again."
        )


def _remove(rows: Sequence[Row]) -> None:
    locks.lock_exclusive(locks.LockClass.ARCHIVE)  # who reads both meanwhile would miss them
    times = [row[3] for row in rows]
    with pgtrigger.ignore("metering.UsageEvent:append_only"), connection.cursor() as cursor:
        cursor.execute(_REMOVE, [[row[0] for row in rows], min(times), max(times)])


def _arrived(rows: Sequence[Row], here: EventStore, there: EventStore, *, span: Span) -> bool:
    """Whether the other store holds these rows; where it has more between the same numbers, each is looked at.

    A month that came back from a file lies between numbers that were shipped long ago.
    """
    if there.count(span) == here.count(span):
        return True
    wanted = {row[0]: row for row in rows}
    found = sum(wanted.get(row[0]) == row for block in there.read(span) for row in block)
    return found == len(wanted)
