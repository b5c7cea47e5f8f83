"""A checked delivery in three heaps: new identities, repeats of them, and events held back; then who was which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from metering.rules import contract, plain_block
from metering.rules.contract import BillableEvent, RuleBook
from metering.rules.corrections import Correcting, Identity
from metering.rules.envelope import Correction
from metering.rules.identities import stored_id
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason, reason

Placed = tuple[int, BillableEvent]
Held = tuple[int, tuple[Reason, ...]]
_SOURCE, _EVENT_ID, _IDENTITY = itemgetter(0), itemgetter(1), itemgetter(0, 1)  # of a row


@dataclass(frozen=True, slots=True)
class Sorted:
    """Places are indexes into the delivery; `first` is sorted by identity and holds each identity once.

    `types` names the contracts of the events by id. Events that correct others stand apart, in their order.
    """

    first: list[Placed]
    repeats: list[Placed]
    held: list[Held]
    types: dict[int, str]
    corrections: list[Correcting] = field(default_factory=list)


class Known(NamedTuple):
    """The accepted event of an identity: what it hashes to, and the batch that brought it."""

    fingerprint: bytes
    batch_id: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final word on every event of a delivery."""

    accepted: list[BillableEvent]
    duplicates: list[Placed]
    held: list[Held]


def sort_delivery(deliveries: Sequence[Delivery], *, rules: RuleBook) -> Sorted:
    """Check every event by itself, or where none has any peculiarity all of them together."""
    types = rules.types()
    if len(deliveries) >= plain_block.EVENTS_MIN and (rows := plain_block.check_events(deliveries, rules)):
        return _place(rows, types)
    first: dict[Identity, Placed] = {}
    repeats: list[Placed] = []
    held: list[Held] = []
    corrections: list[Correcting] = []
    for index, delivery in enumerate(deliveries):
        if isinstance(delivery, Unreadable):
            held.append((index, delivery.reasons))
            continue
        checked = contract.check_event(delivery, rules=rules)
        if not isinstance(checked, BillableEvent):
            held.append((index, checked))
        elif (corrects := delivery.get("corrects")) is not None:
            corrections.append(Correcting(index, checked, Correction(stored_id(corrects), delivery["correction"])))
        elif (identity := checked[:2]) in first:
            repeats.append((index, checked))
        else:
            first[identity] = (index, checked)
    return Sorted([first[identity] for identity in sorted(first)], repeats, held, types, corrections)


def _place(rows: Sequence[BillableEvent], types: dict[int, str]) -> Sorted:
    """Sort a delivery of which every event passed."""
    identities: list[Any] = list(map(_EVENT_ID, rows))
    if len(set(map(_SOURCE, rows))) > 1:
        identities = list(map(_IDENTITY, rows))
    placed: list[Placed] = list(enumerate(rows))
    first: dict[Any, Placed] = dict(zip(reversed(identities), reversed(placed), strict=True))  # the first one stays
    repeats = [] if len(first) == len(rows) else [place for place in placed if first[identities[place[0]]] is not place]
    return Sorted([first[identity] for identity in sorted(first)], repeats, [], types)


def judge_delivery(found: Sorted, *, known: Mapping[Identity, Known], batch_id: int) -> Outcome:
    """Tell accepted, duplicate and conflict apart; `known` may leave out the identities that were new."""
    if not known and not found.repeats:
        return Outcome([event for _index, event in found.first], [], list(found.held))
    if len(known) >= len(found.first) and not found.repeats and _are_repeated(found.first, known, batch_id):
        return Outcome([], list(found.first), list(found.held))
    accepted = []
    duplicates: list[Placed] = []
    held = list(found.held)
    marks = {}
    for placed in found.first:
        event = placed[1]
        stored = known.get(event[:2])
        marks[event[:2]] = event.fingerprint if stored is None else stored.fingerprint
        if stored is None or stored.batch_id == batch_id:
            accepted.append(event)
        else:
            _judge_again(placed, stored.fingerprint, duplicates, held)
    for placed in found.repeats:
        _judge_again(placed, marks[placed[1][:2]], duplicates, held)
    return Outcome(accepted, duplicates, held)


def _are_repeated(first: Sequence[Placed], known: Mapping[Identity, Known], batch_id: int) -> bool:
    """Say that each was accepted before, as it is now: a delivery that is sent again mostly is so as a whole."""
    stored = [known.get(event[:2]) for _index, event in first]
    return all(
        one is not None and one.fingerprint == event.fingerprint and one.batch_id != batch_id
        for one, (_index, event) in zip(stored, first, strict=True)
    )


def _judge_again(placed: Placed, stored: bytes, duplicates: list[Placed], held: list[Held]) -> None:
    index, event = placed
    if event.fingerprint == stored:
        duplicates.append(placed)
    else:
        held.append((index, (reason("conflict", pointer="/id"),)))
