"""Other orders of arrival in which the same must come out: shuffled within a step, as far as arrival decides nothing.

Arrival decides by policy between events of one instant, between a resend and the first of its identity, and between a
correction and what it corrects. Such events keep their order among themselves, and those that arrived together stay
together; everything else may come in any order.
"""

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

ORDERS_MIN, ORDERS_MAX = 2, 100  # shuffled orders of one set: a single one says little, and each is a whole replay
ORDERS_DEFAULT = 20  # of a new set; each version of a set has its own number
BLOCK = 25  # so many of a shuffled order arrive close to each other: what came together then comes together again


@dataclass(frozen=True, slots=True)
class Sent:
    """An event of a step: its delivery, its place there, and the event as it is read."""

    delivery: int
    place: int
    event: Any


def in_order(events: Sequence[Sent]) -> list[list[Sent]]:
    """As they were delivered: each list arrives together."""
    return [list(own) for _, own in groupby(events, key=attrgetter("delivery"))]


def shuffled(events: Sequence[Sent], *, seed: int) -> list[list[Sent]]:
    """In another order, the same for the same seed; each list arrives together and is of one delivery."""
    atoms = _atoms(events)
    order = list(range(len(atoms)))
    chance = random.Random(seed)  # noqa: S311  an order of arrival, not a secret
    chance.shuffle(order)
    places: dict[int, list[int]] = {}
    for position, number in enumerate(order):
        places.setdefault(atoms[number].group, []).append(position)
    members: dict[int, list[_Atom]] = {}
    for atom in atoms:
        members.setdefault(atom.group, []).append(atom)
    arranged = {
        position: atom for group, own in places.items() for position, atom in zip(own, members[group], strict=True)
    }
    found = [arranged[position] for position in range(len(atoms))]
    return [batch for start in range(0, len(found), BLOCK) for batch in _batches(found[start : start + BLOCK], chance)]


@dataclass(slots=True)
class _Atom:
    """Events of one group that arrived together."""

    group: int
    delivery: int
    events: list[Sent]


def _batches(block: Sequence[_Atom], chance: random.Random) -> list[list[Sent]]:
    """What lies in one block comes delivery by delivery in any order in which every group keeps its own."""
    left = {atom.delivery for atom in block}
    groups: dict[int, set[int]] = {}
    for atom in block:
        groups.setdefault(atom.group, set()).add(atom.delivery)
    batches = []
    while left:
        waiting = {later for own in groups.values() for later in sorted(own & left)[1:]}
        delivery = chance.choice(sorted(left - waiting))  # never empty: the first delivery of all waits for none
        left.discard(delivery)
        batches.append([event for atom in block if atom.delivery == delivery for event in atom.events])
    return batches


def _atoms(events: Sequence[Sent]) -> list[_Atom]:
    groups = _groups(events)
    atoms: dict[tuple[int, int], _Atom] = {}
    for sent, group in zip(events, groups, strict=True):
        atoms.setdefault((group, sent.delivery), _Atom(group, sent.delivery, [])).events.append(sent)
    return list(atoms.values())


def _groups(events: Sequence[Sent]) -> list[int]:
    """A number per event, equal where arrival may decide between two of them."""
    parent: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    firsts = []
    for number, sent in enumerate(events):
        keys = _keys(sent.event) or [("alone", number)]
        for other in keys[1:]:
            parent[root(other)] = root(keys[0])
        firsts.append(keys[0])
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(root(key), len(numbers)) for key in firsts]


def _keys(event: Any) -> list[Hashable]:
    if not isinstance(event, dict):
        return []
    keys: list[Hashable] = [("identity", str(event.get("source")), str(event.get("id")))]
    if event.get("corrects") is not None:
        keys.append(("identity", str(event.get("source")), str(event["corrects"])))
    keys.append(("instant", str(event.get("subject")), str(event.get("type")), str(event.get("time"))))
    return keys
