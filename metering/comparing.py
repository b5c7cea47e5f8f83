"""What a version of a meter would change: the last closed windows measured by it and by the one it replaces."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering import meter_versions, watermark
from metering.models import AggregationSnapshot, MeterVersion
from metering.rules.windows import UsageWindow
from metering.store import elsewhere, measuring
from metering.store.measuring import MeterReading

WINDOWS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEffect:
    """A window of one customer, measured both ways over the same events."""

    customer: str
    start: datetime
    end: datetime
    old_quantity: Decimal
    new_quantity: Decimal
    old_events: int
    new_events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Every customer's last closed window, those that change first; empty where nothing was closed yet."""

    before: MeterVersion
    after: MeterVersion
    rows: list[CustomerEffect]

    @property
    def changed(self) -> int:
        return sum(row.old_quantity != row.new_quantity for row in self.rows)


def compare_versions(version: MeterVersion) -> Effect:
    """Measure every customer's last closed window by this version and by the one before it, in two passes for all."""
    before = meter_versions.former_of(version) or version
    snapshots = _last_closed(version.meter_id)
    old, new = (_measure([one.window for one in snapshots], by=each) for each in (before, version))
    rows = [
        CustomerEffect(
            customer=snapshot.customer.code,
            start=snapshot.window_start,
            end=snapshot.window_end,
            old_quantity=was.quantity,
            new_quantity=would.quantity,
            old_events=was.event_count,
            new_events=would.event_count,
        )
        for snapshot, was, would in zip(snapshots, old, new, strict=True)
    ]
    rows.sort(key=lambda row: (-abs(row.new_quantity - row.old_quantity), row.customer))
    return Effect(before=before, after=version, rows=rows)


def _last_closed(meter_id: int) -> list[AggregationSnapshot]:
    """Give the live cycle snapshot of each customer that ended last."""
    live = AggregationSnapshot.objects.filter(
        meter=meter_id, kind=AggregationSnapshot.Kind.CYCLE, retired_at=None
    ).select_related("customer")
    return list(live.order_by("customer_id", "-window_end", "-pk").distinct("customer_id")[:WINDOWS_MAX])


def _measure(windows: list[UsageWindow], *, by: MeterVersion) -> list[measuring.WindowMeasure]:
    if not windows:
        return []
    reading = by.as_reading()
    meter = MeterReading(contract_id=by.meter.contract_id, reading=reading)
    start = min(measuring.counts_since(window, reading) for window in windows)
    with elsewhere.showing(
        start, max(window.end for window in windows), customer_ids=sorted({window.customer_id for window in windows})
    ):
        return measuring.measure_windows([(window, meter) for window in windows], up_to_seq=watermark.find_last_seq())
