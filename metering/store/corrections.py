"""Corrections as rows: which events no longer count, and the one condition that leaves them out of every count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from django.db import connection
from psycopg import sql

from core import personal_keys
from core.statements import fetch_all, run
from metering.models import AggregationSnapshot
from metering.rules import exact_json
from metering.rules.corrections import Correcting, Identity, Target
from metering.store import elsewhere
from metering.store.literals import plain_array, text_array
from metering.store.protocol import Row


def counted(up_to: LiteralString | None) -> sql.Composed:
    """The condition that event `e` counts at the watermark that this SQL names; None stands for all there is now.

    Where nothing was ever corrected, one look says so for the whole statement. Where something was, each event is
    looked up by its number: an anti-join would be left to the planner, who goes astray after many new corrections.
    """
    seen = sql.SQL("") if up_to is None else sql.SQL(f" AND corrected.since_seq <= {up_to}")
    return sql.SQL(
        "(NOT EXISTS (SELECT FROM metering_eventcorrection) OR NOT EXISTS"
        " (SELECT FROM metering_eventcorrection corrected WHERE corrected.seq = e.seq{seen}))"
    ).format(seen=seen)


# In the order of their identity, so that two deliveries of corrections wait for each other, never in a circle.
_LOCK = """
SELECT 1
FROM metering_eventkey AS known
JOIN unnest(%s::text[], %s::text[]) AS sent (source, event_id)
  ON known.source = sent.source AND known.event_id = sent.event_id
ORDER BY known.source, known.event_id
FOR UPDATE OF known
"""
_FIND = """
SELECT known.source, known.event_id, known.seq, known.occurred_at, event.customer_id, event.contract_id,
       coalesce(left_out.kind, ''), left_out.since_seq, left_out.since_occurred_at, correction.event_id
FROM unnest(%s::text[], %s::text[]) AS sent (source, event_id)
JOIN metering_eventkey AS known ON known.source = sent.source AND known.event_id = sent.event_id
LEFT JOIN metering_usageevent AS event ON event.seq = known.seq AND event.occurred_at = known.occurred_at
LEFT JOIN metering_eventcorrection AS left_out ON left_out.seq = known.seq
LEFT JOIN metering_usageevent AS correction
  ON correction.seq = left_out.since_seq AND correction.occurred_at = left_out.since_occurred_at
"""
_INSERT = """
WITH made AS (
    SELECT target.seq, target.occurred_at, correction.seq AS since_seq, correction.occurred_at AS since_occurred_at,
           row.action, row.customer_id, row.contract_id
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
      AS row (source, event_id, corrects, action, customer_id, contract_id)
    JOIN metering_eventkey AS correction ON correction.source = row.source AND correction.event_id = row.event_id
    JOIN metering_eventkey AS target ON target.source = row.source AND target.event_id = row.corrects
)
INSERT INTO metering_eventcorrection (seq, since_seq, kind, customer_id, contract_id, occurred_at, since_occurred_at)
SELECT seq, since_seq, CASE action WHEN 'cancel' THEN 'cancelled' ELSE 'amended' END, customer_id, contract_id,
       occurred_at, since_occurred_at FROM made
UNION ALL
SELECT since_seq, since_seq, 'cancels', customer_id, contract_id, since_occurred_at, since_occurred_at
FROM made WHERE action = 'cancel'
"""


def lock_targets(wanted: Sequence[Correcting]) -> None:
    """Let nobody else correct these events before we commit."""
    run(_LOCK, _identities([each.target for each in wanted]))


class _Found(NamedTuple):
    """An identity that is to be corrected; empty is what does not lie in the table, or what nobody corrected yet."""

    source: str
    event_id: str
    seq: int
    occurred_at: datetime
    customer_id: int | None
    contract_id: int | None
    kind: str
    by_seq: int | None
    by_occurred_at: datetime | None
    by_event_id: str | None


def find_targets(wanted: Sequence[Correcting]) -> dict[Identity, Target]:
    """Give the accepted events that these corrections name, with what corrected them before, wherever they lie."""
    found = [_Found(*row) for row in fetch_all(_FIND, _identities([each.target for each in wanted]))]
    absent = {each.seq: each.occurred_at for each in found if each.customer_id is None}
    absent |= {
        each.by_seq: each.by_occurred_at
        for each in found
        if each.by_seq is not None and each.by_occurred_at is not None and each.by_event_id is None
    }
    rows = elsewhere.find_rows(absent)
    return {(each.source, each.event_id): _target(each, rows) for each in found}


def _target(found: _Found, rows: Mapping[int, Row]) -> Target:
    customer_id, contract_id, by = found.customer_id, found.contract_id, found.by_event_id or ""
    if customer_id is None and found.seq in rows:
        contract_id, customer_id = rows[found.seq][9], rows[found.seq][11]
    if not by and found.by_seq is not None and found.by_seq in rows:
        by = rows[found.by_seq][2]
    return Target(
        customer_id,
        contract_id,
        amended_by=by if found.kind == "amended" else "",
        cancelled_by=by if found.kind == "cancelled" else "",
        is_cancellation=found.kind == "cancels",
    )


def insert_corrections(accepted: Sequence[Correcting]) -> None:
    """Note what these events, stored by now, correct; the database refuses a second correction of the same event."""
    sources, ids = _identities([each.event[:2] for each in accepted])
    corrects = text_array([each.correction.corrects for each in accepted])
    actions = plain_array(each.correction.action for each in accepted)
    customers = plain_array(each.event.customer_id for each in accepted)
    contracts = plain_array(each.event.contract_id for each in accepted)
    run(_INSERT, [sources, ids, corrects, actions, customers, contracts])


def _identities(wanted: Sequence[Identity]) -> list[Any]:
    # Only an id of printable ASCII was ever accepted; any other finds nothing, and some cannot be sent.
    usable = [each for each in dict.fromkeys(wanted) if each[1].isascii() and each[1].isprintable()]
    return [text_array([each[0] for each in usable]), text_array([each[1] for each in usable])]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedRow:
    """An event of a window that does not count, and the correction that says so; `why` is the sender's word."""

    seq: int
    source: str
    event_id: str
    occurred_at: datetime
    data: dict[str, Any]
    action: str
    by_seq: int
    by_event_id: str
    by_occurred_at: datetime
    by_received_at: datetime
    by_data: dict[str, Any]
    why: str


_COLUMNS = [field.name for field in fields(CorrectedRow)]
_OF_WINDOW = """
FROM metering_eventcorrection left_out {and_its_events}
WHERE left_out.customer_id = %s AND left_out.contract_id = %s AND left_out.occurred_at >= %s
  AND left_out.occurred_at < %s AND left_out.since_seq <= %s AND left_out.kind <> 'cancels' AND left_out.seq > %s
ORDER BY left_out.seq
LIMIT %s
"""
_PAGE = "SELECT left_out.seq, left_out.occurred_at, left_out.since_seq, left_out.since_occurred_at" + _OF_WINDOW.format(
    and_its_events=""
)
_AND_ITS_EVENTS = """
JOIN metering_usageevent event ON event.seq = left_out.seq AND event.occurred_at = left_out.occurred_at
JOIN metering_usageevent correction
  ON correction.seq = left_out.since_seq AND correction.occurred_at = left_out.since_occurred_at
"""
_CORRECTED = f"""
SELECT event.seq, event.source, event.event_id, event.occurred_at, event.data::text,
       CASE left_out.kind WHEN 'cancelled' THEN 'cancel' ELSE 'amend' END,
       correction.seq, correction.event_id, correction.occurred_at, correction.received_at, correction.data::text,
       coalesce(correction.extras ->> 'correctionreason', '')
{_OF_WINDOW.format(and_its_events=_AND_ITS_EVENTS)}
"""


def page_of_corrected(snapshot: AggregationSnapshot, *, after_seq: int, limit: int) -> list[CorrectedRow]:
    """Give the events of a snapshot's window that it left out because they were corrected, in capture order.

    What corrected them may have happened at any other time, and is read wherever it lies.
    """
    page: list[Any] = [
        *(snapshot.customer_id, snapshot.meter.contract_id, snapshot.since, snapshot.window_end),
        *(snapshot.watermark.seq, after_seq, limit),
    ]
    wanted: dict[int, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, page)
        for seq, occurred_at, since_seq, since_occurred_at in cursor.fetchall():
            wanted |= {seq: occurred_at, since_seq: since_occurred_at}
    if not wanted:
        return []
    with elsewhere.showing_single(wanted), connection.cursor() as cursor:
        cursor.execute(_CORRECTED, page)
        return [_corrected_row(row) for row in cursor.fetchall()]


_FROM_OUTSIDE = """
SELECT since_seq, since_occurred_at FROM metering_eventcorrection
WHERE customer_id = %s AND contract_id = %s AND occurred_at >= %s AND occurred_at < %s AND since_seq <= %s
  AND kind <> 'cancels' AND NOT (since_occurred_at >= %s AND since_occurred_at < %s)
"""


def find_from_outside(
    *, customer_id: int, contract_id: int, start: datetime, end: datetime, up_to_seq: int
) -> dict[int, datetime]:
    """Give number and time of what corrected a customer's events of `[start, end)` and did not happen then itself."""
    with connection.cursor() as cursor:
        cursor.execute(_FROM_OUTSIDE, [customer_id, contract_id, start, end, up_to_seq, start, end])
        return dict(cursor.fetchall())


def _corrected_row(row: tuple[Any, ...]) -> CorrectedRow:
    found = dict(zip(_COLUMNS, row, strict=True))
    found["data"], found["by_data"] = exact_json.read(found["data"]), exact_json.read(found["by_data"])
    found["why"] = personal_keys.open_text(found["why"])
    return CorrectedRow(**found)
