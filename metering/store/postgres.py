"""Where accepted events are written: PostgreSQL, one statement for a whole delivery."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction

from core.locks import LockClass
from core.statements import fetch_all, fetch_soon, run
from metering.rules.contract import BillableEvent, Columns
from metering.rules.sorting import Known
from metering.rules.tally import OUTCOMES, Tally
from metering.store import sent_rows
from metering.store.literals import plain_array, text_array

# Rows come sorted by identity: two deliveries of the same events wait for each other instead of deadlocking.
_INSERT_NEW = """
WITH stamp AS MATERIALIZED (
    SELECT coalesce(%s::bigint, nextval('metering_capturebatch_id_seq')) AS batch_id,
           coalesce(%s::timestamptz, clock_timestamp()) AS received_at
), sent AS MATERIALIZED (
    SELECT nextval('metering_usageevent_seq_seq') AS seq, row.* FROM {rows} AS row
), fresh AS (
    INSERT INTO metering_eventkey (source, event_id, seq, occurred_at, batch_id, fingerprint)
    SELECT source, event_id, seq, occurred_at, batch_id, fingerprint FROM sent, stamp
    ON CONFLICT DO NOTHING
    RETURNING seq
), kept AS (
    INSERT INTO metering_usageevent (seq, source, event_id, customer_id, contract_id, contract_version_id, batch_id,
                                     occurred_at, received_at, fingerprint, data, extras)
    SELECT seq, source, event_id, customer_id, contract_id, contract_version_id, batch_id,
           occurred_at, received_at, fingerprint, data::jsonb, extras::jsonb
    FROM sent JOIN fresh USING (seq), stamp
    RETURNING seq
)
SELECT batch_id, received_at, (SELECT count(*) FROM kept), (SELECT min(seq) FROM kept), (SELECT max(seq) FROM kept)
FROM stamp
"""
_FIND = """
SELECT sent.number, known.fingerprint, known.batch_id
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS sent (source, event_id, number)
JOIN metering_eventkey AS known ON known.source = sent.source AND known.event_id = sent.event_id
"""
_INSERT_BATCH = """
INSERT INTO metering_capturebatch (id, channel, origin, received_at, received, accepted, duplicates, quarantined,
                                   tallies, first_seq, last_seq)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)
"""
# Capture's lock is only tried: waiting for it with the tables open could close a circle with whoever adds a month.
# Where it is not free nothing is written and no row comes back; a known identity fails the whole statement.
_INSERT_DELIVERIES = """
WITH lock AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock_shared(%s, 0) AS is_held
), stamp AS MATERIALIZED (
    SELECT clock_timestamp() AS received_at,
           ARRAY(SELECT nextval('metering_capturebatch_id_seq') FROM generate_series(1, %s)) AS batches
    FROM lock WHERE is_held
), sent AS MATERIALIZED (
    SELECT nextval('metering_usageevent_seq_seq') AS seq, row.*, batches[row.delivery] AS batch_id, received_at
    FROM stamp, {rows} AS row
), keys AS (
    INSERT INTO metering_eventkey (source, event_id, seq, occurred_at, batch_id, fingerprint)
    SELECT source, event_id, seq, occurred_at, batch_id, fingerprint FROM sent
), events AS (
    INSERT INTO metering_usageevent (seq, source, event_id, customer_id, contract_id, contract_version_id, batch_id,
                                     occurred_at, received_at, fingerprint, data, extras)
    SELECT seq, source, event_id, customer_id, contract_id, contract_version_id, batch_id,
           occurred_at, received_at, fingerprint, data::jsonb, extras::jsonb
    FROM sent
)
INSERT INTO metering_capturebatch (id, channel, origin, received_at, received, accepted, duplicates, quarantined,
                                   tallies, first_seq, last_seq)
SELECT batches[one.number], one.channel, one.origin, received_at, one.received, one.accepted, one.duplicates, 0,
       one.tallies, span.first_seq, span.last_seq
FROM stamp, unnest(%s::text[], %s::text[], %s::int[], %s::int[], %s::int[], %s::jsonb[])
  WITH ORDINALITY AS one (channel, origin, received, accepted, duplicates, tallies, number)
JOIN (SELECT delivery, min(seq) AS first_seq, max(seq) AS last_seq FROM sent GROUP BY delivery) AS span
  ON span.delivery = one.number
RETURNING id
"""
_INSERT = _INSERT_NEW.format(rows=sent_rows.MIXED)
_INSERT_ALIKE = _INSERT_DELIVERIES.format(rows=sent_rows.ALIKE)
_INSERT_MIXED = _INSERT_DELIVERIES.format(rows=sent_rows.MIXED)
ORIGIN_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Written:
    """What one insert did; `received_at` is the database's clock, read while capture's lock was held."""

    batch_id: int
    received_at: datetime
    accepted: int
    first_seq: int | None
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery of which everything is new and good, or stands in it twice: its events, sorted, and its counts."""

    events: Columns
    channel: str
    origin: str
    duplicates: int
    tallies: Sequence[Tally]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Received, accepted and duplicates."""
        accepted = len(self.events.event_ids)
        return accepted + self.duplicates, accepted, self.duplicates


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """Whole deliveries as `insert_deliveries` sends them."""

    statement: str
    parameters: Sequence[Any]


def insert_events(events: Sequence[BillableEvent], *, batch: Written | None = None) -> Written:
    """Write the events whose identity is new, sorted by identity, each identity once; the others are left alone.

    They make a new batch, or join one that was begun.
    """
    place = [None, None] if batch is None else [batch.batch_id, batch.received_at]
    rows = sent_rows.mixed_parameters(Columns.of(events), [1] * len(events))
    return Written(*fetch_all(_INSERT, [*place, *rows])[0])


def write_out(deliveries: Sequence[NewDelivery]) -> WrittenOut:
    """Write whole deliveries as `insert_deliveries` sends them; no identity may stand in two of them."""
    first = deliveries[0].events
    if is_alike := len(deliveries) == 1 and sent_rows.are_alike(first):
        rows = sent_rows.alike_parameters(first)
    else:
        rows = sent_rows.mixed_parameters(*_rows(deliveries))
    parameters = [
        int(LockClass.CAPTURE),
        len(deliveries),
        *rows,
        text_array([one.channel for one in deliveries]),
        text_array([one.origin[:ORIGIN_LENGTH_MAX] for one in deliveries]),
        *(plain_array(column) for column in zip(*(one.counts for one in deliveries), strict=True)),
        text_array([_lines(one.tallies) for one in deliveries]),
    ]
    return WrittenOut(_INSERT_ALIKE if is_alike else _INSERT_MIXED, parameters)


def _rows(deliveries: Sequence[NewDelivery]) -> tuple[Columns, Sequence[int]]:
    """Their events in order of identity, each with the number of its delivery; those of one are in order."""
    if len(deliveries) == 1:
        return deliveries[0].events, [1] * len(deliveries[0].events.event_ids)
    rows = sorted((event, number) for number, one in enumerate(deliveries, start=1) for event in one.events.rows())
    return Columns.of([event for event, _ in rows]), [number for _, number in rows]


def insert_deliveries(written_out: WrittenOut) -> bool:
    """Write whole deliveries in one statement, which is a commit of its own outside of transactions.

    False, and nothing written, if an identity among them turns out to be known, or somebody holds capture up.
    """
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return bool(fetch_soon(written_out.statement, written_out.parameters))
    except IntegrityError:  # known, or its month's table was made this very moment
        return False


def join_written(one: Written, other: Written) -> Written:
    """Add up two inserts into the same batch."""
    firsts = [each.first_seq for each in (one, other) if each.first_seq is not None]
    lasts = [each.last_seq for each in (one, other) if each.last_seq is not None]
    return replace(
        one,
        accepted=one.accepted + other.accepted,
        first_seq=min(firsts, default=None),
        last_seq=max(lasts, default=None),
    )


def find_known(events: Sequence[BillableEvent]) -> dict[tuple[str, str], Known]:
    """Give the accepted event of each of these identities, committed by now or written by us."""
    parameters = [text_array([event.source for event in events]), text_array([event.event_id for event in events])]
    found = fetch_soon(_FIND, parameters)
    return {events[number - 1][:2]: Known(bytes(mark), batch_id) for number, mark, batch_id in found}


def insert_batch(written: Written, *, channel: str, origin: str, tallies: Sequence[Tally]) -> None:
    """Write the delivery itself, with its counts."""
    run(
        _INSERT_BATCH,
        [
            written.batch_id,
            channel,
            origin[:ORIGIN_LENGTH_MAX],
            written.received_at,
            *_counts(tallies),
            written.first_seq,
            written.last_seq,
        ],
    )


def _counts(tallies: Sequence[Tally]) -> list[Any]:
    """Give received, accepted, duplicates and quarantined, and the lines that they are the sums of."""
    counts = [sum(getattr(line, outcome) for line in tallies) for outcome in OUTCOMES]
    return [sum(counts), *counts, _lines(tallies)]


def _lines(tallies: Sequence[Tally]) -> str:
    return orjson.dumps([line.as_json() for line in tallies]).decode()


def read_clock() -> datetime:
    """Give the database's time: the one clock that every web process of an installation shares."""
    clock: datetime = fetch_all("SELECT clock_timestamp()", [])[0][0]
    return clock
