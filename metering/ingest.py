"""Capture: every event of a delivery is accepted, known already, or held back with its reasons, in one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from core import locks
from metering import corrections, former_names
from metering.rules import sorting, tally
from metering.rules.contract import Columns, RuleBook
from metering.rules.corrections import Identity
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason
from metering.rules.sorting import Known, Outcome, Sorted
from metering.store import held, partitions, postgres, rulebook
from metering.store.postgres import NewDelivery, WrittenOut

NO_BATCH = 0  # numbers start at 1
REPEATING_MAX = 10_000
_repeating: set[str] = set()  # origins whose last delivery held known events: for them trying at once is in vain


@dataclass(frozen=True, slots=True)
class CaptureItem:
    """One event that was not simply accepted; `index` is its place in the delivery."""

    index: int
    id: str
    status: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """What became of a delivery: received = accepted + duplicates + quarantined; accepted events are not listed."""

    received: int
    accepted: int
    duplicates: int
    quarantined: int
    items: tuple[CaptureItem, ...]


def capture_events(deliveries: Sequence[Delivery], *, channel: str, origin: str, at: datetime | None) -> CaptureResult:
    """Check, deduplicate and store one delivery; it is safe to answer once this has committed.

    Without an instant the database says what time it is.
    """
    if not deliveries:
        return CaptureResult(0, 0, 0, 0, ())
    found = check_events(deliveries, sent_at=at, at=at)
    return store_events(deliveries, found, channel=channel, origin=origin)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery, how it came and from whom."""

    deliveries: Sequence[Delivery]
    channel: str
    origin: str


def capture_parcels(parcels: Sequence[Parcel]) -> list[CaptureResult | None]:
    """Capture several deliveries in one commit, at the database's time; None for one that has to go by itself.

    That is one with an event that is known, not good, or in an earlier one of these.
    """
    rules = read_rules([event for parcel in parcels for event in parcel.deliveries], sent_at=None, at=None)
    results: list[CaptureResult | None] = [None] * len(parcels)
    new: dict[int, NewDelivery] = {}
    taken: set[Identity] = set()
    for number, parcel in enumerate(parcels):
        found = sorting.sort_delivery(parcel.deliveries, rules=rules)
        outcome = _plain_outcome(found, origin=parcel.origin)
        identities = {event[:2] for _index, event in found.first}
        if outcome is not None and taken.isdisjoint(identities):
            prepare_months(found)
            taken |= identities
            new[number] = _new_delivery(parcel, found, outcome)
            results[number] = _result(parcel.deliveries, outcome)
    is_written = bool(new) and postgres.insert_deliveries(postgres.write_out(list(new.values())))
    return results if is_written else [None] * len(parcels)


def check_events(deliveries: Sequence[Delivery], *, sent_at: datetime | None, at: datetime | None) -> Sorted:
    """Hold every event against the contracts, meters and customers of this moment.

    Its age counts back from `sent_at`, when it was first delivered; whether it lies in the future is judged `at` now.
    """
    return sorting.sort_delivery(deliveries, rules=read_rules(deliveries, sent_at=sent_at, at=at))


def read_rules(deliveries: Sequence[Delivery], *, sent_at: datetime | None, at: datetime | None) -> RuleBook:
    """Read what `check_events` decides by; the rest of it asks nobody."""
    events: Any = deliveries
    if set(map(type, deliveries)) != {dict}:
        events = [delivery for delivery in deliveries if not isinstance(delivery, Unreadable)]
    return rulebook.load_rulebook(events, sent_at=sent_at, at=at)


def judge_events(deliveries: Sequence[Delivery], found: Sorted) -> Outcome:
    """Say what would become of the events if they were stored now."""
    known = postgres.find_known([event for _index, event in found.first])
    found = _recognise(deliveries, found, known)
    outcome = sorting.judge_delivery(found, known=known, batch_id=NO_BATCH)
    return corrections.join_outcome(outcome, corrections.judge(found)) if found.corrections else outcome


def prepare_months(found: Sorted) -> None:
    """See that the months of new events have tables; a caller with a transaction of its own does this before it."""
    partitions.prepare_months(times_of(found))


def times_of(found: Sorted) -> list[str]:
    """When the new events happened."""
    return [event.occurred_at for _index, event in found.first] + [each.event.occurred_at for each in found.corrections]


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery of which nothing is amiss, written out for the one statement that stores it if all of it is new."""

    result: CaptureResult
    written_out: WrittenOut


def make_ready(parcel: Parcel, found: Sorted) -> Ready | None:
    """Write a delivery out; None where that is in vain. It asks nobody, so it may be done ahead."""
    outcome = _plain_outcome(found, origin=parcel.origin)
    if outcome is None:
        return None
    written_out = postgres.write_out([_new_delivery(parcel, found, outcome)])
    return Ready(_result(parcel.deliveries, outcome), written_out)


def make_plain_ready(events: Columns, *, types: Mapping[int, str], channel: str, origin: str) -> Ready | None:
    """Do so with rows that were found plain, are sorted and hold each identity once."""
    if origin in _repeating:
        return None
    count = len(events.event_ids)
    tallies = tally.tally_accepted(events, types=types)
    written_out = postgres.write_out([NewDelivery(events, channel, origin, 0, tallies)])
    return Ready(CaptureResult(count, count, 0, 0, ()), written_out)


def store_events(deliveries: Sequence[Delivery], found: Sorted, *, channel: str, origin: str) -> CaptureResult:
    """Write what is new, tell duplicates from conflicts, hold back the rest and count it all."""
    parcel = Parcel(deliveries, channel, origin)
    return store_parcel(parcel, found, make_ready(parcel, found))


def store_parcel(parcel: Parcel, found: Sorted, ready: Ready | None) -> CaptureResult:
    """Do so with what was made ready before."""
    deliveries, channel, origin = parcel.deliveries, parcel.channel, parcel.origin
    prepare_months(found)
    if ready is not None and postgres.insert_deliveries(ready.written_out):
        return ready.result
    with transaction.atomic(savepoint=False):
        # Held until the commit: whoever fixes a watermark waits for us, so no event can appear below it later.
        locks.lock_shared(locks.LockClass.CAPTURE)
        events = [event for _index, event in found.first]
        # What is known stays so, hence from those who repeat themselves only the rest need be written.
        known = postgres.find_known(events) if origin in _repeating else {}
        new = [event for event in events if event[:2] not in known]
        written = postgres.insert_events(new)
        if written.accepted < len(new):
            known |= postgres.find_known(new)
        found = _recognise(deliveries, found, known)
        outcome = sorting.judge_delivery(found, known=known, batch_id=written.batch_id)
        if found.corrections:
            judged, written = corrections.store(found, written=written)
            outcome = corrections.join_outcome(outcome, judged)
        tallies = tally.tally_outcome(deliveries, outcome, types=found.types)
        postgres.insert_batch(written, channel=channel, origin=origin, tallies=tallies)
        held.hold_events(deliveries, outcome.held, batch_id=written.batch_id, received_at=written.received_at)
    _remember(origin, repeats=bool(outcome.duplicates))
    return _result(deliveries, outcome)


def _recognise(deliveries: Sequence[Delivery], found: Sorted, known: dict[Identity, Known]) -> Sorted:
    """See that a retry is known again although the name of its customer has moved."""
    if found.corrections:
        known = known | postgres.find_known([each.event for each in found.corrections])
    return former_names.recognise(found, deliveries=deliveries, known=known) if known else found


def _plain_outcome(found: Sorted, *, origin: str) -> Outcome | None:
    """What becomes of a delivery if none of its events is known; None where that is not plain."""
    if found.held or found.corrections or origin in _repeating:
        return None
    outcome = sorting.judge_delivery(found, known={}, batch_id=NO_BATCH)
    return None if outcome.held else outcome


def _new_delivery(parcel: Parcel, found: Sorted, outcome: Outcome) -> NewDelivery:
    tallies = tally.tally_outcome(parcel.deliveries, outcome, types=found.types)
    return NewDelivery(Columns.of(outcome.accepted), parcel.channel, parcel.origin, len(outcome.duplicates), tallies)


def _remember(origin: str, *, repeats: bool) -> None:
    if not repeats:
        _repeating.discard(origin)
    elif len(_repeating) < REPEATING_MAX:
        _repeating.add(origin)


def _result(deliveries: Sequence[Delivery], outcome: Outcome) -> CaptureResult:
    items = [CaptureItem(index, event.event_id, "duplicate") for index, event in outcome.duplicates]
    items += [
        CaptureItem(index, tally.attribute_of(deliveries[index], "id"), "quarantined", reasons)
        for index, reasons in outcome.held
    ]
    return CaptureResult(
        received=len(deliveries),
        accepted=len(outcome.accepted),
        duplicates=len(outcome.duplicates),
        quarantined=len(outcome.held),
        items=tuple(sorted(items, key=lambda item: item.index)),
    )
