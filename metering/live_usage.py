"""Live totals of every event accepted by now, by time and by property."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from metering import in_force, live_totals, watermark
from metering.counted import UsageQuestionError
from metering.live_totals import ReadFrom
from metering.models import EventContractVersion, Meter, MeterVersion
from metering.rules import buckets
from metering.rules.arrivals import ALWAYS, Arrived
from metering.rules.readings import WEIGHED, Reading
from metering.rules.windows import EVER, UsageWindow
from metering.store import elsewhere, live, measuring
from metering.store.live import LiveRow
from metering.store.measuring import MeterReading

LIVE_ROWS_MAX = 20_000
WINDOWS = ("minute", "hour", "day", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUsageRow:
    """A total; without a window it spans the whole time asked for."""

    start: datetime
    end: datetime
    group: dict[str, str | None]
    quantity: Decimal
    event_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUsage:
    """Totals of every event accepted by `as_of`; one being captured then is `lag_seconds` old at most."""

    as_of: datetime
    lag_seconds: float
    rows: list[LiveUsageRow]
    read_from: ReadFrom


def groupable_properties(meter: Meter, *, at: datetime) -> list[str]:
    """Give the properties of `data` that usage may be grouped by: those that the meter's version names.

    Where it names none, whatever a contract of this meter has ever declared.
    """
    if named := in_force.version_of(meter.pk, at=at).group_by:
        return sorted(named)
    names: set[str] = set()
    versions = EventContractVersion.objects.filter(contract=meter.contract_id).exclude(
        status=EventContractVersion.Status.DRAFT
    )
    for version in versions:
        names.update(version.billing_fields, version.context_fields, version.schema.get("properties", {}))
    return sorted(names)


def live_usage(
    *,
    customer_id: int,
    meter: Meter,
    start: datetime,
    end: datetime,
    window: str | None = None,
    group_by: Sequence[str] = (),
    zone: str = "UTC",
    arrived: Arrived = ALWAYS,
) -> LiveUsage:
    """Total what was accepted by now; buckets and groups without events give no row, the whole time always does.

    With `arrived` only what was received in that stretch counts: usage as it was known at an earlier moment.

    Where what the meter measures changes, a bucket ends and the next begins, as the windows of a bill do.
    """
    starts = _bucket_starts(start, end, window=window, zone=zone)
    _require_declared(group_by, meter=meter, at=start)
    as_of, lag_seconds = live.read_freshness()
    rows: list[LiveUsageRow] = []
    sources: set[ReadFrom] = set()
    for version, part in _parts_of(meter, starts, end):
        asked = _Asked(customer_id, meter.contract_id, version.as_reading(), part, group_by, zone, arrived)
        found, source = _live_rows(asked, is_whole=window is None and not group_by)
        rows += found
        sources.add(source)
    if len(rows) > LIVE_ROWS_MAX:
        raise UsageQuestionError(
            f"The answer has more than {LIVE_ROWS_MAX} rows; ask for a shorter time, wider windows or fewer groups.",
            pointer="/group_by" if group_by else "/window",
        )
    read_from = ReadFrom.EVENTS if ReadFrom.EVENTS in sources else ReadFrom.ROLLUPS
    return LiveUsage(as_of=as_of, lag_seconds=lag_seconds, rows=rows, read_from=read_from)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Live usage over buckets in which the meter measures one thing; the last of `edges` is where they end."""

    customer_id: int
    contract_id: int
    reading: Reading
    edges: list[datetime]
    group_by: Sequence[str]
    zone: str
    arrived: Arrived

    @property
    def is_level(self) -> bool:
        reading = self.reading
        return reading.is_recurring or bool(reading.operation_property) or reading.aggregation in WEIGHED


def _parts_of(meter: Meter, starts: Sequence[datetime], end: datetime) -> Iterator[tuple[MeterVersion, list[datetime]]]:
    """Cut the buckets where the measure changes, and give each run of them its version."""
    versions = in_force.versions_by_meter([meter.pk])[meter.pk]
    changes = [instant for instant in in_force.changes_of(versions) if starts[0] < instant < end]
    for first, after in pairwise([starts[0], *changes, end]):
        inside = [one for one in starts if first < one < after]
        yield in_force.at_instant(versions, first), [first, *inside, after]


def _live_rows(asked: _Asked, *, is_whole: bool) -> tuple[list[LiveUsageRow], ReadFrom]:
    """Total by statements over all buckets at once; a level is measured in each as if the bucket were billed."""
    meter = MeterReading(contract_id=asked.contract_id, reading=asked.reading)
    if asked.is_level:
        found = live_totals.LiveTotals(_levels(asked, meter), ReadFrom.EVENTS)
    else:
        found = live_totals.read_totals(
            customer_id=asked.customer_id,
            meter=meter,
            edges=asked.edges,
            group_by=asked.group_by,
            rows_max=LIVE_ROWS_MAX + 1,
            arrived=asked.arrived,
        )
    totals = found.rows
    if not totals and is_whole:
        totals = [LiveRow(0, (), Decimal(0), 0)]
    return [_live_row(total, edges=asked.edges, group_by=asked.group_by) for total in totals], found.read_from


def _levels(asked: _Asked, meter: MeterReading) -> list[LiveRow]:
    if asked.group_by:
        raise UsageQuestionError(
            "This meter measures a level, which is not split by properties; leave `group_by` out.", pointer="/group_by"
        )
    if not asked.arrived.is_everything:
        raise UsageQuestionError(
            "This meter measures a level; ask for it as it is known now.", pointer="/received_before"
        )
    windows = [
        (UsageWindow(asked.customer_id, 0, start, end, zone=asked.zone), meter) for start, end in pairwise(asked.edges)
    ]
    since = EVER if asked.reading.is_recurring else asked.edges[0]
    with elsewhere.showing(since, asked.edges[-1], customer_ids=[asked.customer_id]):
        measures = measuring.measure_windows(windows, up_to_seq=watermark.find_last_seq())
    return [
        LiveRow(number, (), measure.quantity, measure.event_count)
        for number, measure in enumerate(measures)
        if measure.event_count
    ]


def _live_row(total: LiveRow, *, edges: Sequence[datetime], group_by: Sequence[str]) -> LiveUsageRow:
    return LiveUsageRow(
        start=edges[total.bucket],
        end=edges[total.bucket + 1],
        group=dict(zip(group_by, total.group, strict=True)),
        quantity=total.quantity,
        event_count=total.event_count,
    )


def _require_declared(group_by: Sequence[str], *, meter: Meter, at: datetime) -> None:
    if not group_by:
        return
    declared = groupable_properties(meter, at=at)
    unknown = [name for name in group_by if name not in declared]
    if unknown:
        raise UsageQuestionError(
            f"{meter.code} declares no property {', '.join(unknown)[:200]} to group by; it declares "
            f"{', '.join(declared) or 'none at all'}.",
            pointer="/group_by",
        )


def _bucket_starts(start: datetime, end: datetime, *, window: str | None, zone: str) -> list[datetime]:
    if not start < end:
        raise UsageQuestionError("`end` must lie after `start`.", pointer="/end")
    if window is None:
        return [start]
    if window not in WINDOWS:
        raise UsageQuestionError(f"`window` is one of {', '.join(WINDOWS)}.", pointer="/window")
    try:
        return buckets.bucket_starts(start, end, window=window, zone=zone)
    except ValueError as error:
        raise UsageQuestionError(f"That time has {error}; ask for wider windows.", pointer="/window") from error
