"""Count windows from raw events, any number at once: one statement for digests, one per kind of aggregation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from metering.rules import aggregation
from metering.rules.windows import UsageWindow
from metering.store import corrections, measured_value

NO_EVENTS = aggregation.digest([])


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """How a meter reads: the events of which contract, which of their properties, and what is made of the values."""

    contract_id: int
    value_property: str
    aggregation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMeasure:
    """What a window holds: all its events make the count and the digest, those with a usable value the quantity."""

    quantity: Decimal
    event_count: int
    unmeasured_count: int
    digest: str


# A table with statistics, because the planner knows nothing of the rows of an array: with it, a close of everybody
# reads the events once from end to end, and a close of one customer goes by the index.
_STAGE = """
CREATE TEMPORARY TABLE measured_window (
    number int, stretch int, is_first boolean, customer_id bigint, contract_id bigint, value_property text,
    aggregation text, span tstzrange
) ON COMMIT DROP
"""

_EVENTS = sql.SQL(
    """
    FROM measured_window w
    JOIN metering_usageevent e ON e.customer_id = w.customer_id AND w.span @> e.occurred_at
    WHERE w.contract_id = %(contract_id)s AND e.contract_id = %(contract_id)s
      AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s AND e.seq <= %(up_to_seq)s
      AND {counted}
    """
).format(counted=corrections.counted("%(up_to_seq)s"))
# Sorting each window's own fingerprints is cheaper than sorting those of all windows together.
_DIGESTS = (
    sql.SQL(
        """
        SELECT counted.number, counted.events, digested.digest
        FROM (
            SELECT w.number, count(*) AS events, array_agg(e.seq) AS seqs, array_agg(e.fingerprint) AS fingerprints
            {events} AND w.is_first GROUP BY w.number
        ) counted
        CROSS JOIN LATERAL (
            SELECT encode(sha256(string_agg(one.fingerprint, ''::bytea ORDER BY one.seq)), 'hex') AS digest
            FROM unnest(counted.seqs, counted.fingerprints) AS one(seq, fingerprint)
        ) digested
        """
    )
    .format(events=_EVENTS)
    .as_string()
)

# `OFFSET 0` keeps the planner from working out each value once per use of it.
_QUANTITIES = sql.SQL(
    """
    SELECT read.number, count(*) FILTER (WHERE ({is_usable}) IS NOT TRUE), coalesce({quantity}, 0)
    FROM (
        SELECT w.number, {value} AS value, e.occurred_at, e.received_at, e.event_id, e.source
        {events} AND w.aggregation = %(aggregation)s OFFSET 0
    ) read
    GROUP BY read.number
    """
)
_STATEMENTS = {
    name: _QUANTITIES.format(
        value=kind.value, is_usable=kind.is_usable, quantity=kind.quantity, events=_EVENTS
    ).as_string()
    for name, kind in measured_value.KINDS.items()
}


def measure_windows(
    windows: Sequence[UsageWindow], *, meters: Mapping[int, MeterReading], up_to_seq: int
) -> list[WindowMeasure]:
    """Measure each window, in their order, over the events accepted up to `up_to_seq`."""
    if not windows:
        return []
    staged = _stage(windows, meters=meters)
    counted: dict[int, tuple[int, str]] = {}
    quantities: dict[int, tuple[int, Decimal]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        _write_stage(staged)
        # By contract, so that the planner knows how many events each join will meet.
        for contract_id, own in groupby(sorted(staged, key=_contract), key=_contract):
            here = list(own)
            bounds: dict[str, Any] = {
                "contract_id": contract_id,
                "first": min(each.window.start for each in here),
                "last": max(each.window.end for each in here),
                "up_to_seq": up_to_seq,
            }
            cursor.execute(_DIGESTS, bounds)
            counted |= {stretch: (events, digest) for stretch, events, digest in cursor.fetchall()}
            for kind in sorted({each.meter.aggregation for each in here} - {"count"}):
                cursor.execute(_STATEMENTS[kind], bounds | {"aggregation": kind})
                quantities |= {number: (unusable, Decimal(total)) for number, unusable, total in cursor.fetchall()}
        cursor.execute("DROP TABLE measured_window")
    return [
        _put_together(counted.get(each.stretch, (0, NO_EVENTS)), quantities.get(each.number), meter=each.meter)
        for each in staged
    ]


@dataclass(frozen=True, slots=True)
class _Staged:
    """A window with its number, and that of the first window over the same events: these share count and digest."""

    number: int
    stretch: int
    window: UsageWindow
    meter: MeterReading


def _contract(staged: _Staged) -> int:
    return staged.meter.contract_id


def _stage(windows: Sequence[UsageWindow], *, meters: Mapping[int, MeterReading]) -> list[_Staged]:
    first: dict[tuple[int, int, datetime, datetime], int] = {}
    staged = []
    for number, window in enumerate(windows):
        meter = meters[window.meter_id]
        stretch = first.setdefault((window.customer_id, meter.contract_id, window.start, window.end), number)
        staged.append(_Staged(number, stretch, window, meter))
    return staged


def _write_stage(staged: Iterable[_Staged]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY measured_window FROM STDIN") as copy:
            for each in staged:
                window, meter = each.window, each.meter
                span = f"[{window.start.isoformat()},{window.end.isoformat()})"
                is_first = each.number == each.stretch
                owner = (window.customer_id, meter.contract_id, meter.value_property, meter.aggregation)
                copy.write_row((each.number, each.stretch, is_first, *owner, span))
        cursor.execute("ANALYZE measured_window")


def _put_together(counted: tuple[int, str], read: tuple[int, Decimal] | None, *, meter: MeterReading) -> WindowMeasure:
    events, digest = counted
    unmeasured, quantity = read or (0, Decimal(events) if meter.aggregation == "count" else aggregation.ZERO)
    return WindowMeasure(quantity=quantity, event_count=events, unmeasured_count=unmeasured, digest=digest)
