"""What the quarantine desk shows: an event beside the rules it broke, and what would be accepted."""

from dataclasses import dataclass
from typing import Any

from core.http import parsing
from metering.models import EventContract, EventContractVersion, QuarantinedEvent
from metering.rules import explaining, marking
from metering.rules.explaining import ContractShown, Explanation
from metering.rules.marking import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """The event as it was sent, with the places marked that its reasons point at, and each reason explained."""

    lines: list[Line]
    reasons: list[Explanation]
    contract_id: int | None


def show_event(event: QuarantinedEvent) -> SideBySide:
    """Put an event beside what the contract in force says now."""
    version = EventContractVersion.objects.filter(
        contract__event_type=event.event_type, status=EventContractVersion.Status.ACTIVE
    ).first()
    known_types = EventContract.objects.values_list("event_type", flat=True)
    contract_id = EventContract.objects.filter(event_type=event.event_type).values_list("pk", flat=True).first()
    return SideBySide(
        lines=_lines(event),
        reasons=[
            explaining.explain(
                reason,
                contract=_shown(version),
                event_type=event.event_type,
                known_types=known_types,
            )
            for reason in event.reasons
        ],
        contract_id=contract_id,
    )


def _shown(version: EventContractVersion | None) -> ContractShown | None:
    if version is None:
        return None
    return ContractShown(
        version=version.version,
        schema=version.schema,
        billing_fields=version.billing_fields,
        accepts_past_days=version.accepts_past_days,
        accepts_future_seconds=version.accepts_future_seconds,
    )


def _lines(event: QuarantinedEvent) -> list[Line]:
    """Laid out and marked if it is JSON at all, else as it came."""
    try:
        document: Any = parsing.read_strict_json(event.raw.encode("utf-8", "replace"))
    except ValueError:
        return [Line(text) for text in event.raw.splitlines()[: marking.LINES_MAX]]
    pointers = [reason["pointer"] for reason in event.reasons if reason.get("pointer")]
    return marking.mark(document, pointers=pointers)
