"""Count windows from raw events, any number at once: one statement for digests, one per kind of aggregation.

Windows are measured together by contract, and levels apart from the rest, because they look back to the first event.
The number of statements depends on these and on the kinds, never on how many windows, customers or filters there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from metering.rules import aggregation, exact_json
from metering.rules.aggregation import Ratio, Span
from metering.rules.readings import WEIGHED, Reading
from metering.rules.windows import UsageWindow
from metering.store import corrections, measured_value

NO_EVENTS = aggregation.digest([])
EVER = datetime(1900, 1, 1, tzinfo=UTC)  # no contract accepts an event from before


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """Which events a meter reads, and how."""

    contract_id: int
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMeasure:
    """What a window holds: all events of it make count and digest, those with a usable value the quantity."""

    quantity: Decimal
    event_count: int
    unmeasured_count: int
    digest: str


# A table with statistics, because the planner knows nothing of the rows of an array: with it, a close of everybody
# reads the events once from end to end, and a close of one customer goes by the index.
_STAGE = """
CREATE TEMPORARY TABLE measured_window (
    number int, stretch int, is_first boolean, customer_id bigint, contract_id bigint, is_recurring boolean, kind text,
    value_property text, operation_property text, filters jsonb, arrival_sign int, span tstzrange,
    starts_at timestamptz, ends_at timestamptz, first_day date, end_day date, zone text
) ON COMMIT DROP
"""

_EVENTS = sql.SQL(
    """
    FROM measured_window w
    JOIN metering_usageevent e ON e.customer_id = w.customer_id AND w.span @> e.occurred_at
    WHERE w.contract_id = %(contract_id)s AND w.is_recurring = %(is_recurring)s AND e.contract_id = %(contract_id)s
      AND e.occurred_at >= %(first)s AND e.occurred_at < %(last)s AND e.seq <= %(up_to_seq)s
      AND {counted} AND {matches}
    """
).format(counted=corrections.counted("%(up_to_seq)s"), matches=measured_value.MATCHES)
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
_OF_KIND = sql.SQL("{events} AND w.kind = %(kind)s").format(events=_EVENTS)
_STATEMENTS = {name: kind.select(_OF_KIND).as_string() for name, kind in measured_value.KINDS.items()}


def measure_windows(windows: Sequence[tuple[UsageWindow, MeterReading]], *, up_to_seq: int) -> list[WindowMeasure]:
    """Measure each window as its meter reads, in their order, over the events accepted up to `up_to_seq`."""
    if not windows:
        return []
    staged = _stage(windows)
    counted: dict[int, tuple[int, str]] = {}
    read: dict[int, _Read] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        _write_stage(staged)
        # By contract, so that the planner knows how many events each join will meet.
        for (contract_id, is_recurring), own in groupby(sorted(staged, key=_pass), key=_pass):
            here = list(own)
            bounds: dict[str, Any] = {
                "contract_id": contract_id,
                "is_recurring": is_recurring,
                "first": EVER if is_recurring else min(each.window.start for each in here),
                "last": max(each.window.end for each in here),
                "up_to_seq": up_to_seq,
            }
            cursor.execute(_DIGESTS, bounds)
            counted |= {stretch: (events, digest) for stretch, events, digest in cursor.fetchall()}
            for kind in sorted({each.kind for each in here} - {"count"}):
                cursor.execute(_STATEMENTS[kind], bounds | {"kind": kind})
                read |= {number: _Read(*rest) for number, *rest in cursor.fetchall()}
        cursor.execute("DROP TABLE measured_window")
    return [_put_together(each, counted.get(each.stretch, (0, NO_EVENTS)), read.get(each.number)) for each in staged]


@dataclass(frozen=True, slots=True)
class _Staged:
    """A window with its number, and that of the first window over the same events: these share count and digest."""

    number: int
    stretch: int
    window: UsageWindow
    meter: MeterReading

    @property
    def kind(self) -> str:
        return kind_of(self.meter.reading)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the statement of a kind found in a window; the quantity is not divided yet."""

    unmeasured_count: int
    quantity: Decimal
    measured_count: int


def kind_of(reading: Reading) -> str:
    """Give the kind of statement that measures it: counting what is held needs the last event of each value."""
    if reading.aggregation == "unique_count" and reading.operation_property:
        return "unique_count held"
    return reading.aggregation


def _pass(staged: _Staged) -> tuple[int, bool]:
    return staged.meter.contract_id, staged.meter.reading.is_recurring


def _stage(windows: Sequence[tuple[UsageWindow, MeterReading]]) -> list[_Staged]:
    first: dict[tuple[Any, ...], int] = {}
    staged = []
    for number, (window, meter) in enumerate(windows):
        events = (meter.contract_id, meter.reading.filters, meter.reading.is_recurring)
        stretch = first.setdefault((window.customer_id, window.start, window.end, *events), number)
        staged.append(_Staged(number, stretch, window, meter))
    return staged


def _write_stage(staged: Iterable[_Staged]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY measured_window FROM STDIN") as copy:
            for each in staged:
                copy.write_row(_row(each))
        cursor.execute("ANALYZE measured_window")


def _row(each: _Staged) -> tuple[Any, ...]:
    window, reading = each.window, each.meter.reading
    since = counts_since(window, reading)
    return (
        each.number,
        each.stretch,
        each.number == each.stretch,
        window.customer_id,
        each.meter.contract_id,
        reading.is_recurring,
        each.kind,
        reading.value_property,
        reading.operation_property,
        filters_parameter(reading),
        arrival_sign(reading),
        f"[{since.isoformat()},{window.end.isoformat()})",
        window.start,
        window.end,
        *_days(window.span, reading),
        window.zone,
    )


def _days(span: Span, reading: Reading) -> tuple[Any, Any]:
    """Only levels by the day need to know where days begin, which costs more than all the rest."""
    if reading.aggregation in WEIGHED:
        return span.day_of(span.start), span.day_of(span.end)
    return None, None


def counts_since(window: UsageWindow, reading: Reading) -> datetime:
    """Give from when on events count for this window: a level is made of all there were before its end."""
    return EVER if reading.is_recurring else window.start


def filters_parameter(reading: Reading) -> str | None:
    """Write the conditions as the one value that statements are given; None where every event counts."""
    if not reading.filters:
        return None
    return exact_json.write([one.as_parameter() for one in reading.filters]).decode()


def arrival_sign(reading: Reading) -> int:
    """Say whether of events of one instant the last received counts as later, or the first."""
    return -1 if reading.tie_break == "first_received" else 1


def _put_together(each: _Staged, counted: tuple[int, str], read: _Read | None) -> WindowMeasure:
    events, digest = counted
    if read is None:
        quantity = Decimal(events) if each.kind == "count" else aggregation.ZERO
        return WindowMeasure(quantity=quantity, event_count=events, unmeasured_count=0, digest=digest)
    reading = each.meter.reading
    ratio = ratio_of(read.quantity, measured_count=read.measured_count, reading=reading, span=each.window.span)
    return WindowMeasure(
        quantity=aggregation.quantity_of(ratio, reading=reading),
        event_count=events,
        unmeasured_count=read.unmeasured_count,
        digest=digest,
    )


def ratio_of(quantity: Decimal | int, *, measured_count: int, reading: Reading, span: Span) -> Ratio:
    """Say what a quantity from a statement is to be divided by."""
    if reading.aggregation == "average":
        return Ratio(Decimal(quantity), Decimal(measured_count or 1))
    if reading.aggregation == "time_weighted_sum":
        return Ratio(Decimal(quantity), span.period_length)
    if reading.aggregation in WEIGHED:
        return Ratio(Decimal(quantity), Decimal(span.period_days))
    return Ratio(Decimal(quantity))
