"""What the rest of the house asks about usage: recounts, strays, late events, live totals, the events of a snapshot."""

from collections.abc import Collection
from datetime import datetime

from metering import in_force
from metering.counted import (
    UsageQuestionError,
    differing_events,
    evidence_lines,
    find_snapshot_events,
    iterate_snapshot_events,
    recount,
    recount_parts,
    snapshot_corrections,
    snapshot_events,
    split_usage,
)
from metering.live_usage import WINDOWS, LiveUsage, LiveUsageRow, groupable_properties, live_usage
from metering.models import Meter, MeterVersion
from metering.rules.parts import PartsBy, Split, UsagePart
from metering.store.breakdown import PartStream
from metering.store.corrections import CorrectedRow
from metering.store.differences import EventDifference
from metering.store.evidence import Stream as EvidenceStream
from metering.store.late import LateWindow
from metering.store.reading import EventRow, StrayUsage
from metering.store.recounting import Recount
from metering.uncounted import CustomerPeriod, late_windows, stray_events, stray_usage

__all__ = [
    "WINDOWS",
    "CorrectedRow",
    "CustomerPeriod",
    "EventDifference",
    "EventRow",
    "EvidenceStream",
    "LateWindow",
    "LiveUsage",
    "LiveUsageRow",
    "PartStream",
    "PartsBy",
    "Recount",
    "Split",
    "StrayUsage",
    "UsagePart",
    "UsageQuestionError",
    "differing_events",
    "evidence_lines",
    "find_snapshot_events",
    "groupable_properties",
    "iterate_snapshot_events",
    "late_windows",
    "live_usage",
    "measure_changes",
    "recount",
    "recount_parts",
    "snapshot_corrections",
    "snapshot_events",
    "split_usage",
    "stray_events",
    "stray_usage",
    "version_of",
]


def measure_changes(meter_ids: Collection[int]) -> dict[int, list[datetime]]:
    """Give, per meter, the instants at which what it measures changes: no window may lie across one."""
    return in_force.measure_changes(meter_ids)


def version_of(meter: Meter, *, at: datetime) -> MeterVersion:
    """Give what the meter measures at this instant."""
    return in_force.version_of(meter.pk, at=at)
