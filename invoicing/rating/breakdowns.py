"""Reads the usage that prices ask for: a quantity, and its parts where a price looks closer."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import money
from invoicing.rating.rules.usage import Breakdown, Part, Usage
from metering import queries as metering_queries
from metering.models import AggregationSnapshot
from metering.queries import PartsBy, PartStream, Split, UsagePart

Reader = Callable[[Sequence[tuple[AggregationSnapshot, Split]]], PartStream]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one price is applied to: a snapshot, or nothing for a fee; `zone` is the customer's."""

    snapshot: AggregationSnapshot | None
    breakdown: Breakdown | None
    zone: str


@dataclass(frozen=True, slots=True)
class PartsMark:
    """Which parts a price was given: how many, of how many events, and a SHA-256 over all they say, in order."""

    count: int
    events: int
    digest: str


class MarkedParts:
    """Parts on their way to a price: read through once, and marked as they pass, so that none has to be held."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._left = iter(parts)
        self._count = self._events = 0
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[Part]:
        for part in self._left:
            self._count += 1
            self._events += part.events
            self._digest.update(_written(part))
            yield part

    def mark(self) -> PartsMark:
        """The mark of all of them, those included that the price did not ask for."""
        for _ in self:
            pass
        return PartsMark(count=self._count, events=self._events, digest=self._digest.hexdigest())


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Usage as a price takes it; `parts` is None where the price asks for none, and marked once it was priced."""

    usage: Usage
    parts: MarkedParts | None = None

    def mark(self) -> PartsMark | None:
        return None if self.parts is None else self.parts.mark()


FEE = ReadUsage(Usage(Decimal(1)))


def read_usages(
    asked: Sequence[Asked], *, reader: Reader = metering_queries.split_usage
) -> Iterator[tuple[int, ReadUsage]]:
    """Give the usage of each by its place: first those of bare quantities, then those in parts, one after the other."""
    in_parts: list[tuple[int, AggregationSnapshot, Split]] = []
    for place, each in enumerate(asked):
        if each.snapshot is None:
            yield place, FEE
        elif each.breakdown is None:
            yield place, ReadUsage(Usage(each.snapshot.quantity))
        else:
            in_parts.append((place, each.snapshot, split_of(each.breakdown, zone=each.zone)))
    yield from _read_parts(in_parts, reader=reader)


def iterate_parts(snapshot: AggregationSnapshot, *, breakdown: Breakdown, zone: str) -> Iterator[Part]:
    """Give the parts of one stored snapshot, in bounded memory."""
    for _, parts in metering_queries.recount_parts([(snapshot, split_of(breakdown, zone=zone))]):
        yield from map(part_of, parts)


def _read_parts(
    wanted: Sequence[tuple[int, AggregationSnapshot, Split]], *, reader: Reader
) -> Iterator[tuple[int, ReadUsage]]:
    if not wanted:
        return
    empty = dict(enumerate(wanted))
    for number, parts in reader([(snapshot, split) for _, snapshot, split in wanted]):
        place, snapshot, _ = empty.pop(number)
        yield place, _usage(snapshot, map(part_of, parts))
    for place, snapshot, _ in empty.values():
        yield place, _usage(snapshot, ())


def _usage(snapshot: AggregationSnapshot, parts: Iterable[Part]) -> ReadUsage:
    marked = MarkedParts(parts)
    return ReadUsage(Usage(snapshot.quantity, marked), marked)


def _written(part: Part) -> bytes:
    """Everything a part says, in one form: equal parts, equal bytes."""
    amount = "" if part.amount is None else money.plain(part.amount)
    facts = (money.plain(part.quantity), part.events, part.properties, str(part.bucket or ""), amount)
    return repr(facts).encode()


def part_of(part: UsagePart) -> Part:
    """A part as a price takes it."""
    return Part(part.quantity, part.events, part.properties, part.bucket, part.amount, part.times)


def split_of(breakdown: Breakdown, *, zone: str) -> Split:
    """How metering splits usage for a price that asks for these parts."""
    return Split(
        by=PartsBy(breakdown.kind),
        properties=breakdown.properties,
        bucket=breakdown.width or "",
        zone=zone if breakdown.zone == "customer" else "UTC",
        amount_property=breakdown.amount_property or "",
    )
