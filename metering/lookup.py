"""Finding accepted events: by customer, meter, type and period, or the one of an identity."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Customer
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering.models import EventContract, EventCorrection, EventKey, Meter, UsageEvent
from metering.rules.identities import stored_id
from metering.store import elsewhere
from metering.store.protocol import FIRST, LAST

SLASHES_MAX = 40
# How much of what lies in files or in another store one list may ask for: a month of one customer, a day of all.
OF_ONE_CUSTOMER, OF_ALL = timedelta(days=31), timedelta(days=1)


class AmbiguousIdentityError(DomainError):
    """Slashes of a path can be read as ends of the source in more than one way."""

    code = "ambiguous_identity"


def find_events(
    *,
    customer: str | None = None,
    meter: str | None = None,
    type: str | None = None,  # noqa: A002 - the name that callers of the API know it by
    start: datetime | None = None,
    end: datetime | None = None,
    source: str | None = None,
    id: str | None = None,  # noqa: A002 - as `type`
) -> QuerySet[UsageEvent]:
    """Give the accepted events that happened in `[start, end)`; InvalidInputError for names of nothing."""
    events = UsageEvent.objects.select_related("customer", "contract", "contract_version")
    if (source is None) != (id is None):
        raise InvalidInputError("Give source and id together: only both identify an event.", pointer="/source")
    if source is not None:
        events = _only(events, EventKey.objects.filter(source=source, event_id=stored_id(id or "")).first())
    if customer is not None:
        events = events.filter(customer_id__in=_known(Customer.objects.filter(code=customer).values("pk"), "customer"))
    if meter is not None:
        events = events.filter(contract_id__in=_known(Meter.objects.filter(code=meter).values("contract"), "meter"))
    if type is not None:
        contracts = EventContract.objects.filter(event_type=type)
        events = events.filter(contract_id__in=_known(contracts.values("pk"), "type"))
    if start is not None:
        events = events.filter(occurred_at__gte=start)
    if end is not None:
        events = events.filter(occurred_at__lt=end)
    return events


@dataclass(frozen=True, slots=True)
class Listing:
    """Events to page through, and, where some that may be meant are not among them, what to ask instead."""

    events: QuerySet[UsageEvent]
    not_listed: str | None = None


@contextmanager
def listing(**wanted: Any) -> Iterator[Listing]:
    """The events of `find_events`, wherever they lie, as far as the question is narrow; to be read inside."""
    events = find_events(**wanted)
    start, end = _asked_span(wanted)
    if not elsewhere.is_any_away(start, end):
        yield Listing(events)
        return
    customer = wanted.get("customer")
    if end - start > (OF_ALL if customer is None else OF_ONE_CUSTOMER):
        detail = "Older events lie in files or in another store: name a customer, and start and end at most 31 days"
        yield Listing(events, f"{detail} apart (without a customer one day), to list them as well.")
        return
    ids = None if customer is None else list(Customer.objects.filter(code=customer).values_list("pk", flat=True))
    with elsewhere.showing(start, end, customer_ids=ids):
        yield Listing(events)


def _asked_span(wanted: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """The time that a list asks for; of one identity the instant of its event."""
    if wanted.get("source") is not None:
        key = EventKey.objects.filter(source=wanted["source"], event_id=stored_id(wanted["id"])).first()
        if key is not None:
            return key.occurred_at, key.occurred_at + timedelta(microseconds=1)
    return wanted.get("start") or FIRST, wanted.get("end") or LAST


def find_event(path: str) -> UsageEvent:
    """Give the event whose `source/id` this is; both may hold slashes."""
    steps = path.split("/")
    if len(steps) > SLASHES_MAX:
        raise NotFoundError("There is no such event.")
    splits = [("/".join(steps[:cut]), "/".join(steps[cut:])) for cut in range(1, len(steps))]
    identities = Q(pk__in=[])
    for source, event_id in splits:
        identities |= Q(source=source, event_id=stored_id(event_id))
    keys = list(EventKey.objects.filter(identities)[:2])
    if not keys:
        raise NotFoundError("There is no such event.")
    if len(keys) > 1:
        raise AmbiguousIdentityError("Two events can be meant; use GET events with source and id.")
    return _find(keys[0])


def event_of_identity(*, source: str, event_id: str) -> UsageEvent:
    """Give the event of this source and id; NotFoundError where there is none."""
    is_possible = source.isprintable() and event_id.isprintable()  # no other identity was ever accepted
    key = EventKey.objects.filter(source=source, event_id=stored_id(event_id)).first() if is_possible else None
    if key is None:
        raise NotFoundError("There is no such event.")
    return _find(key)


def _find(key: EventKey) -> UsageEvent:
    """The event of an identity, wherever it lies."""
    with elsewhere.showing(key.occurred_at, key.occurred_at + timedelta(microseconds=1)):
        return _only(find_events(), key).get()


def _only(events: QuerySet[UsageEvent], key: EventKey | None) -> QuerySet[UsageEvent]:
    """The event of an identity, looked for in its month alone."""
    return events.none() if key is None else events.filter(seq=key.seq, occurred_at=key.occurred_at)


def find_identity(*, source: str, event_id: str) -> dict[str, str] | None:
    """Give id, type and subject of the accepted event of this identity; None where there is none."""
    stored = stored_id(event_id)
    key = EventKey.objects.filter(source=source, event_id=stored).first() if stored.isprintable() else None
    if key is None:
        return None
    event = _find(key)
    return {"id": event.event_id, "type": event.contract.event_type, "subject": event.customer.code}


def find_corrections(events: Iterable[UsageEvent]) -> dict[int, EventCorrection]:
    """Give, by their numbers, those of these events that no longer count, with the correction that says so."""
    return EventCorrection.objects.in_bulk([event.seq for event in events])


def _known(named: QuerySet[Any, Any], parameter: str) -> list[int]:
    ids = [number for row in named for number in row.values()]
    if not ids:
        raise InvalidInputError(f"There is no {parameter} of that name.", pointer=f"/{parameter}")
    return ids
