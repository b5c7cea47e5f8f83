"""The events behind a snapshot, each with the proof that it is stored as it was captured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from metering import late_sealing
from metering import queries as metering_queries
from metering.models import AggregationSnapshot
from metering.queries import CorrectedRow, EventRow
from metering.rules import exact_json, fingerprint
from metering.rules.instants import instant_text

CHUNK_ROWS = 2000
FOUND_MAX = 20
CORRECTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedEvent:
    """An event, and whether hashing its row again gives the fingerprint it was captured with.

    Where a property was sealed since, because a contract marks it as personal, the hash is the one of that sealing.
    """

    row: EventRow
    is_as_captured: bool
    is_sealed_since: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in capture order; `next_after` asks for the next page, None where there is none."""

    events: list[ProvedEvent]
    next_after: int | None


def page_of_events(snapshot: AggregationSnapshot, *, after_seq: int, limit: int) -> EventPage:
    """A page of the events that the snapshot counted."""
    rows = metering_queries.snapshot_events(snapshot, after_seq=after_seq, limit=limit + 1)
    shown = rows[:limit]
    return EventPage(
        events=prove_events(shown, snapshot=snapshot), next_after=shown[-1].seq if len(rows) > limit else None
    )


def find_events(snapshot: AggregationSnapshot, *, event_id: str) -> EventPage:
    """The events of the snapshot with this id; a source gives an id once, several sources may give the same."""
    rows = metering_queries.find_snapshot_events(snapshot, event_id=event_id, limit=FOUND_MAX)
    return EventPage(events=prove_events(rows, snapshot=snapshot), next_after=None)


def corrected_events(snapshot: AggregationSnapshot, *, limit: int = CORRECTED_MAX) -> list[CorrectedRow]:
    """The first events of the window that the snapshot left out because they were corrected, each with why."""
    return metering_queries.snapshot_corrections(snapshot, limit=limit)


def walk_events(snapshot: AggregationSnapshot) -> Iterator[ProvedEvent]:
    """Every event of the snapshot in capture order, in bounded memory."""
    rows = metering_queries.iterate_snapshot_events(snapshot)
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield from prove_events(chunk, snapshot=snapshot)


def prove_events(rows: Sequence[EventRow], *, snapshot: AggregationSnapshot) -> list[ProvedEvent]:
    """Hash the stored rows again."""
    hashes = [(row, _hash_again(row, snapshot)) for row in rows]
    since = late_sealing.fingerprints_now(row.seq for row, mark in hashes if mark != row.fingerprint)
    return [
        ProvedEvent(
            row=row, is_as_captured=mark in (row.fingerprint, since.get(row.seq)), is_sealed_since=row.seq in since
        )
        for row, mark in hashes
    ]


def _hash_again(row: EventRow, snapshot: AggregationSnapshot) -> bytes:
    names = (
        row.source,
        row.event_id,
        snapshot.meter.contract.event_type,
        snapshot.customer.code,
        instant_text(row.occurred_at),
    )
    return fingerprint.fingerprint_event(*names, data=exact_json.write(row.data), extras=row.extras)
