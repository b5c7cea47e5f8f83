"""Chunks of plain events go from lines to columns piece by piece: none is looked at by itself, and none is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

from metering import ingest
from metering.rules import plain_block, reading
from metering.rules.contract import Columns, RuleBook
from metering.rules.reading import BatchTooLargeError, Delivery


@dataclass(frozen=True, slots=True)
class Plain:
    """Events sorted by identity, each identity once, and the names of their contracts by id."""

    events: Columns
    types: Mapping[int, str]


def read_plain(lines: Sequence[bytes], *, at: datetime) -> Plain | None:
    """Give the rows of all lines; None where one is not plain, an identity stands twice, or there are none.

    What they are judged by is read when it is first named, so one contract judges all events of its type.
    """
    pieces: list[Columns] = []
    rules = RuleBook(contracts={}, customers={})
    for start in range(0, len(lines), plain_block.PIECE):
        events = _read_events(lines[start : start + plain_block.PIECE])
        rules = _with_named(rules, events, at=at)
        piece = plain_block.check_columns(events, rules)
        if piece is None:
            return None
        pieces.append(piece)
    columns = _sorted([list(chain.from_iterable(column)) for column in zip(*pieces, strict=True)]) if pieces else None
    return None if columns is None else Plain(columns, rules.types())


def _read_events(lines: Sequence[bytes]) -> Sequence[Delivery]:
    if events := reading.read_flat(lines):
        return events
    try:
        return reading.read_separate(b"\n".join(lines), lines)
    except BatchTooLargeError:
        return []


def _with_named(rules: RuleBook, events: Sequence[Any], *, at: datetime) -> RuleBook:
    """Add what these events name and nobody did before."""
    try:
        types, subjects = (set(map(itemgetter(name), events)) for name in ("type", "subject"))
    except (KeyError, TypeError):  # not plain, as will be found
        return rules
    if types <= rules.contracts.keys() and subjects <= rules.customers.keys():
        return rules
    added = ingest.read_rules(events, sent_at=at, at=at)
    return RuleBook(
        contracts={**added.contracts, **rules.contracts},
        customers={**added.customers, **rules.customers},
    )


def _sorted(columns: Sequence[Sequence[Any]]) -> Columns | None:
    found = Columns(*columns)
    identities: Sequence[Any] = found.event_ids
    if len(set(found.sources)) > 1:
        identities = list(zip(found.sources, found.event_ids, strict=True))
    if len(set(identities)) < len(identities):
        return None
    in_order = itemgetter(*sorted(range(len(identities)), key=identities.__getitem__), 0)
    return Columns(*(in_order(column)[:-1] for column in columns))
