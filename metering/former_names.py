"""Retries of events that hash to something else by now: the same event, and not a conflict.

Either the customer was named by an id that has moved since, or something of the event is sealed today that was not.

A fingerprint holds the code of the customer whom the name stood for at capture. Sent again after the name moved, the
event would hash to another customer's; it is the same if it hashes to the stored one for somebody who had the name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from accounts import queries as accounts_queries
from metering.rules import contract, envelope
from metering.rules.contract import BillableEvent
from metering.rules.corrections import Identity
from metering.rules.reading import Delivery, Unreadable
from metering.rules.sorting import Known, Sorted

Placed = tuple[int, BillableEvent]


def recognise(found: Sorted, *, deliveries: Sequence[Delivery], known: Mapping[Identity, Known]) -> Sorted:
    """Give those events the fingerprint that they were accepted with; what is another event keeps its own."""
    placed: list[Placed] = [*found.first, *found.repeats, *((each.place, each.event) for each in found.corrections)]
    again = _recognise(placed, deliveries=deliveries, known=known)
    if not again:
        return found
    return replace(
        found,
        first=[(place, again.get(place, event)) for place, event in found.first],
        repeats=[(place, again.get(place, event)) for place, event in found.repeats],
        corrections=[each._replace(event=again.get(each.place, each.event)) for each in found.corrections],
    )


def _recognise(
    placed: Iterable[Placed], *, deliveries: Sequence[Delivery], known: Mapping[Identity, Known]
) -> dict[int, BillableEvent]:
    """The recognised events by their place; nothing is asked where no fingerprint differs."""
    differing = []
    for place, event in placed:
        stored, sent = known.get(event[:2]), deliveries[place]
        if stored is not None and stored.fingerprint != event.fingerprint and not isinstance(sent, Unreadable):
            differing.append((place, event._replace(fingerprint=stored.fingerprint), sent))
    if not differing:
        return {}
    holders = accounts_queries.find_holders({envelope.name_of_customer(sent) for _place, _event, sent in differing})
    return {
        place: event
        for place, event, sent in differing
        if any(
            contract.fingerprint_for(sent, customer_code=code) == event.fingerprint
            for code in _codes(envelope.name_of_customer(sent), holders)
        )
    }


def _codes(named: tuple[str, str], holders: Mapping[tuple[str, str], Sequence[str]]) -> Sequence[str]:
    """Whoever had the name, and the name itself where it may be a code."""
    system, name = named
    return [*holders.get(named, ()), *([name] if system == envelope.SUBJECT else [])]
