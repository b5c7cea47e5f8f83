"""Try an event: what capture would say of it now, and what each meter would count, without storing anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import money
from core.errors import InvalidInputError
from metering import in_force, ingest
from metering.models import EventContract, MeterVersion
from metering.rules import aggregation, exact_json, filters, instants
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTrial:
    """What one meter would count of the event: the value that it reads, or why it counts nothing."""

    meter: str
    unit: str
    version: int
    aggregation: str
    counts: bool
    value: str | None = None
    operation: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would become of the event: `accepted`, `duplicate` or `quarantined` with its reasons."""

    status: str
    reasons: tuple[Reason, ...]
    meters: list[MeterTrial]


def try_event(*, contract: EventContract, delivery: Delivery, at: datetime) -> Trial:
    """Judge one event as capture would at this moment; InvalidInputError for one of another type."""
    found_type = None if isinstance(delivery, Unreadable) else delivery.get("type")
    if isinstance(found_type, str) and found_type != contract.event_type:
        raise InvalidInputError(f"This is the contract of {contract.event_type}; try the event there.", pointer="/type")
    outcome = ingest.judge_events([delivery], ingest.check_events([delivery], sent_at=at, at=at))
    if outcome.held:
        return Trial(status="quarantined", reasons=outcome.held[0][1], meters=[])
    event = outcome.accepted[0] if outcome.accepted else outcome.duplicates[0][1]
    happened = instants.read_instant(event.occurred_at).at
    data = exact_json.read(event.data) if event.data else {}
    return Trial(
        status="accepted" if outcome.accepted else "duplicate",
        reasons=(),
        meters=[
            _try_meter(version, data if isinstance(data, dict) else {}) for version in _versions_at(contract, happened)
        ],
    )


def _versions_at(contract: EventContract, instant: datetime) -> Sequence[MeterVersion]:
    meters = contract.meters.in_bulk()
    known = in_force.versions_by_meter(meters)
    found = [in_force.at_instant(known[meter_id], instant) for meter_id in sorted(meters)]
    for version in found:
        version.meter = meters[version.meter_id]
    return found


def _try_meter(version: MeterVersion, data: dict[str, Any]) -> MeterTrial:
    reading = version.as_reading()
    value = Decimal(1) if reading.aggregation == "count" else aggregation.read_value(data, reading=reading)
    why_not = ""
    if not filters.matches(reading.filters, data):
        why_not = "its filters leave this event out"
    elif value is None:
        why_not = f"{reading.value_property} holds no value that it can read"
    return MeterTrial(
        meter=version.meter.code,
        unit=version.meter.unit,
        version=version.version,
        aggregation=version.aggregation,
        counts=not why_not,
        value=None if why_not else money.plain(value) if isinstance(value, Decimal) else value,
        operation=aggregation.read_operation(data, reading=reading) if reading.operation_property else "",
        why_not=why_not,
    )
