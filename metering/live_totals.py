"""Live totals the short way: from rows that were added up before, and from events only where there is no other way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from metering import rollups
from metering.models import RollupSeries
from metering.rules import covering
from metering.rules.arrivals import ALWAYS, Arrived
from metering.rules.summed import Adding
from metering.store import corrections, elsewhere, live, rolled
from metering.store.live import LiveRow
from metering.store.measuring import MeterReading
from metering.store.protocol import SEQ_MAX
from metering.store.rolled import Mark, Series

TRIES = 3


class ReadFrom(StrEnum):
    """What a total was put together from."""

    ROLLUPS = "rollups"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """Totals and what they were read from: the cost of `events` grows with their number, that of `rollups` does not."""

    rows: list[LiveRow]
    read_from: ReadFrom


def read_totals(
    *,
    customer_id: int,
    meter: MeterReading,
    edges: Sequence[datetime],
    group_by: Sequence[str],
    rows_max: int,
    arrived: Arrived = ALWAYS,
) -> LiveTotals:
    """Total every event accepted by now, by bucket between the edges and by group.

    A unique count, and a grouping that the meter does not keep apart, are read from the events: they cannot be put
    together from parts. Nor can minutes, which are shorter than any part, nor what was known at an earlier moment.
    """
    has_parts = arrived.is_everything and any(span.grain for span in covering.cover(edges))
    series = _find_series(customer_id, meter, group_by) if has_parts else None
    if series is not None:
        for _try in range(TRIES):
            found = _read_rolled(series, edges=edges, group_by=group_by, rows_max=rows_max)
            if found is not None:
                return LiveTotals(found, ReadFrom.ROLLUPS)
    outside = {} if arrived.is_everything else _find_corrections(customer_id, meter, edges)
    with elsewhere.showing_single(outside), elsewhere.showing(edges[0], edges[-1], customer_ids=[customer_id]):
        rows = live.read_totals(
            customer_id=customer_id,
            meter=meter,
            starts=edges[:-1],
            end=edges[-1],
            group_by=group_by,
            rows_max=rows_max,
            arrived=arrived,
        )
    return LiveTotals(rows, ReadFrom.EVENTS)


def _find_corrections(customer_id: int, meter: MeterReading, edges: Sequence[datetime]) -> dict[int, datetime]:
    """Give what corrected events of this time from another: an event counts until its correction arrived."""
    return corrections.find_from_outside(
        customer_id=customer_id, contract_id=meter.contract_id, start=edges[0], end=edges[-1], up_to_seq=SEQ_MAX
    )


def _find_series(customer_id: int, meter: MeterReading, group_by: Sequence[str]) -> Series | None:
    if not rollups.can_be_rolled_up(meter.reading) or not set(group_by) <= set(meter.reading.group_by):
        return None
    found = RollupSeries.objects.filter(
        contract=meter.contract_id, reading_hash=rollups.hash_of(Adding(meter.reading))
    ).first()
    if found is None:
        return None
    return Series(
        series_id=found.pk,
        customer_id=customer_id,
        contract_id=meter.contract_id,
        group_by=tuple(found.group_by),
        reading=meter.reading,
    )


def _read_rolled(
    series: Series, *, edges: Sequence[datetime], group_by: Sequence[str], rows_max: int
) -> list[LiveRow] | None:
    """Lay sums over the time, around what was corrected since, and read; None if the sums moved on meanwhile."""
    seq = RollupSeries.objects.values_list("seq", flat=True).get(pk=series.series_id)
    holes = rolled.find_holes(series, seq=seq, start=edges[0], end=edges[-1])
    spans = covering.cover(edges, holes=holes)
    statement, parameters = rolled.statement_of(
        series, seq=seq, spans=spans, starts=edges[:-1], end=edges[-1], group_by=group_by, rows_max=rows_max
    )
    bare = [(span.start, span.end) for span in spans if span.grain is None]
    with elsewhere.showing_customer(series.customer_id, start=edges[0], end=edges[-1], bare=bare, after=seq):
        mark, rows = rolled.read_rolled(statement, parameters, reading=series.reading)
    return rows if mark == Mark(seq, sum(holes.values())) else None
