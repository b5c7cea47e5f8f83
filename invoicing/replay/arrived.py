"""The events of customers as they arrived: what was accepted, in the order of capture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Customer
from core.errors import InvalidInputError
from invoicing.pricing.rules import instants
from invoicing.replay.rules import content as contents
from metering import queries as metering_queries
from metering.models import EventContract, QuarantinedEvent, UsageEvent
from metering.queries import EvidenceStream
from metering.rules import exact_json


@dataclass(frozen=True, slots=True)
class Arrival:
    """An accepted event as it came; one with the same instant came with it."""

    seq: int
    received_at: str
    event: dict[str, Any]


def accepted_events(customers: Sequence[Customer], *, up_to_seq: int) -> list[Arrival]:
    """Every accepted event of these customers up to the last watermark, in the order of capture."""
    of = UsageEvent.objects.filter(customer__in=customers, seq__lte=up_to_seq)
    if of.count() > contents.EVENTS_MAX:
        detail = f"These customers have more than {contents.EVENTS_MAX} events; take fewer of them, or up to earlier."
        raise InvalidInputError(detail, pointer="/customers")
    types = dict(EventContract.objects.values_list("pk", "event_type"))
    found = []
    for customer in customers:
        for contract_id, event_type in types.items():
            stream = EvidenceStream(
                customer_id=customer.pk,
                customer_code=customer.code,
                contract_id=contract_id,
                event_type=event_type,
                start=instants.EARLIEST,
                end=instants.LATEST,
                up_to_seq=up_to_seq,
            )
            found += [_arrival(line) for line in metering_queries.evidence_lines(stream)]
    return sorted(found, key=lambda each: each.seq)


def _arrival(line: str) -> Arrival:
    """The event as it was sent, put together from its row."""
    row = exact_json.read(line)
    extras = row["extras"]
    event = {
        "specversion": "1.0",
        "id": extras.pop("id", row["id"]),
        "source": row["source"],
        "type": row["type"],
        "subject": row["subject"],
        "time": extras.pop("time", row["time"]),
        "data": row["data"],
    }
    named = {name: value for name, value in extras.items() if name not in ("subjectsystem", "subjectid")}
    return Arrival(row["seq"], row["received_at"], {**named, **event})


def count_held(customers: Sequence[Customer]) -> int:
    """How many events that name these customers were held back and never accepted; what they say is not for a set."""
    codes = [customer.code for customer in customers]
    found = QuarantinedEvent.objects.filter(subject__in=codes).exclude(status=QuarantinedEvent.Status.RELEASED)
    return found.count()
