"""Move a running installation's raw events to another store: copy, compare, and only then switch."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from core import audit, locks
from core.errors import DomainError
from metering import shipping, watermark
from metering.models import Store, StoreCopy, StoreSwitch
from metering.store import archive_files, chosen, elsewhere
from metering.store.protocol import EventStore, Span

BLOCK_EVENTS = 50_000
TAIL_EVENTS_MAX = 5_000  # copied while nobody can capture: a second
Progress = Callable[[int, int], None]


class SwitchRefusedError(DomainError):
    """The switch cannot be made as things stand."""

    code = "switch_refused"


class StoresDifferError(DomainError):
    """What was copied is not what was there; the old store stays the one that counts."""

    code = "stores_differ"


def switch_store(
    *, name: str, at: datetime, progress: Progress | None = None, clears_target: bool = False
) -> StoreSwitch:
    """Copy every event while capture goes on, compare every column of every row, then switch in one transaction.

    A copy that was interrupted goes on after its last block. Nothing is shipped meanwhile. What the other store holds
    from earlier times is in the way, and goes only when asked for (`clears_target`).
    """
    copy = _begin(name, at=at, clears_target=clears_target)
    source, target = chosen.store_of(chosen.find_name()), chosen.store_of(name)
    compared = _copy_and_compare(copy, source, target, progress=progress)
    done = copy.copied_seq
    with transaction.atomic():
        locks.lock_exclusive(locks.LockClass.ARCHIVE)
        locks.lock_exclusive(locks.LockClass.CAPTURE)
        last = source.find_last_seq()
        while _copy_block(copy, source, target, up_to_seq=last):
            continue
        compared.append(_compare(source, target, span=Span(first_seq=done + 1, last_seq=last)))
        switch = StoreSwitch.objects.create(
            store=name,
            up_to_seq=max(last, elsewhere.find_last_seq()),
            event_count=sum(count for count, _digest in compared),
            digest=hashlib.sha256(" ".join(digest for _count, digest in compared).encode()).hexdigest(),
            switched_at=at,
        )
        facts = {"store": name, "up_to_seq": last, "events": switch.event_count, "digest": switch.digest}
        audit.append_entry(action="events.store_switched", subject="events:store", actor=None, facts=facts, at=at)
        StoreCopy.objects.all().delete()
    return switch


def _begin(name: str, *, at: datetime, clears_target: bool) -> StoreCopy:
    if name == chosen.find_name():
        raise SwitchRefusedError(f"Raw events live in {name} already.")
    copy, target = StoreCopy.objects.first(), chosen.store_of(name)
    if copy is not None and copy.store != name:
        raise SwitchRefusedError(f"A copy into {copy.store} has begun; end that first, or cancel it.")
    if copy is None:
        shipping.ship_old_too(settled_seq=watermark.settle().seq, at=at)
    target.prepare()
    if copy is None and target.find_leftovers():
        if not clears_target:
            raise SwitchRefusedError(
                f"{Store(name).label} holds events of earlier times, which may not be those of now. If nobody else "
                "uses them, switch again with --clear: they are forgotten there, and all events copied afresh."
            )
        target.clear()
    return copy or _open_copy(name, at=at)


def _open_copy(name: str, *, at: datetime) -> StoreCopy:
    with transaction.atomic():
        # A shipment in flight ends first, and the next one sees the copy: nothing moves between stores beside it.
        locks.lock_exclusive(locks.LockClass.SHIPMENT)
        return StoreCopy.objects.create(store=name, started_at=at)


def _copy_and_compare(
    copy: StoreCopy, source: EventStore, target: EventStore, *, progress: Progress | None
) -> list[tuple[int, str]]:
    """Copy and compare; again with what came meanwhile, until that is little enough for nobody to notice a pause."""
    compared: list[tuple[int, str]] = []
    done = 0
    while not compared or compared[-1][0] > TAIL_EVENTS_MAX:
        while _copy_blocks(copy, source, target, progress=progress) > TAIL_EVENTS_MAX:
            continue
        compared.append(_compare(source, target, span=Span(first_seq=done + 1, last_seq=copy.copied_seq)))
        done = copy.copied_seq
    return compared


def cancel_copy() -> bool:
    """Forget a copy that was begun; what it copied stays in the other store and counts for nothing."""
    return StoreCopy.objects.all().delete()[0] > 0


def _copy_blocks(copy: StoreCopy, source: EventStore, target: EventStore, *, progress: Progress | None) -> int:
    """Copy all there is now; how many events that were."""
    settled, done = min(watermark.settle().seq, source.find_last_seq()), 0
    while copied := _copy_block(copy, source, target, up_to_seq=settled):
        done += copied
        if progress is not None:
            progress(copy.copied_seq, settled)
    return done


def _copy_block(copy: StoreCopy, source: EventStore, target: EventStore, *, up_to_seq: int) -> int:
    rows = source.page(Span(first_seq=copy.copied_seq + 1, last_seq=up_to_seq), limit=BLOCK_EVENTS)
    if rows:
        target.insert(rows, token=f"copy-{copy.pk}-{rows[0][0]}-{rows[-1][0]}")
        copy.copied_seq = rows[-1][0]
        copy.save(update_fields=["copied_seq"])
    return len(rows)


def _compare(source: EventStore, target: EventStore, *, span: Span) -> tuple[int, str]:
    here, there = (archive_files.digest_of(store.read(span)) for store in (source, target))
    if here != there:
        raise StoresDifferError(
            f"Events up to {span.last_seq}: {here[0]:,} in the old store and {there[0]:,} in the new one, or some "
            "differ. Nothing was switched; cancel the copy and begin again."
        )
    return here
