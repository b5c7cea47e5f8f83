"""What became of a delivery, counted by source and type."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from metering.rules.contract import Columns
from metering.rules.reading import Delivery, Unreadable
from metering.rules.sorting import Outcome

NAME_LENGTH_MAX = 200
OUTCOMES = ("accepted", "duplicates", "quarantined")
TALLIES_MAX = 100  # a delivery from more sources than this is counted by type alone
_SOURCE_AND_CONTRACT = itemgetter(0, 3)  # of a row


@dataclass(frozen=True, slots=True)
class Tally:
    """One line of counts."""

    source: str
    type: str
    accepted: int
    duplicates: int
    quarantined: int

    def as_json(self) -> dict[str, str | int]:
        return {
            "source": self.source,
            "type": self.type,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
        }


def attribute_of(delivery: Delivery, name: str) -> str:
    """Give an attribute as far as it can be shown: a printable text of bounded length, or nothing."""
    event = delivery.event if isinstance(delivery, Unreadable) else delivery
    text = event.get(name)
    if not isinstance(text, str):
        return ""
    shown = text if text.isprintable() else "".join(character for character in text if character.isprintable())
    return shown[:NAME_LENGTH_MAX]


def tally_outcome(deliveries: Sequence[Delivery], outcome: Outcome, *, types: Mapping[int, str]) -> list[Tally]:
    """Count each outcome by source and type; `types` names the contracts of the accepted events."""
    counts = _count_accepted(map(_SOURCE_AND_CONTRACT, outcome.accepted), types)
    for _index, event in outcome.duplicates:
        counts[event.source, types[event.contract_id], "duplicates"] += 1
    for index, _reasons in outcome.held:
        counts[attribute_of(deliveries[index], "source"), attribute_of(deliveries[index], "type"), "quarantined"] += 1
    return _in_lines(counts)


def tally_accepted(events: Columns, *, types: Mapping[int, str]) -> list[Tally]:
    """Count events that are all accepted."""
    return _in_lines(_count_accepted(zip(events.sources, events.contract_ids, strict=True), types))


def _count_accepted(events: Iterable[tuple[str, int]], types: Mapping[int, str]) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for (source, contract_id), count in Counter(events).items():
        counts[source, types[contract_id], "accepted"] += count
    return counts


def _in_lines(counts: Counter[tuple[str, str, str]]) -> list[Tally]:
    keys = sorted({(source, event_type) for source, event_type, _outcome in counts})
    if len(keys) > TALLIES_MAX:
        return _by_type(counts)
    return [_line(source, event_type, counts) for source, event_type in keys]


def _by_type(counts: Counter[tuple[str, str, str]]) -> list[Tally]:
    merged: Counter[tuple[str, str, str]] = Counter()
    for (_source, event_type, outcome), count in counts.items():
        merged["", event_type, outcome] += count
    types = sorted({event_type for _source, event_type, _outcome in merged})
    if len(types) > TALLIES_MAX:  # only what is held back can name so many types
        return [_line("", "", Counter({("", "", name): _total(counts, name) for name in OUTCOMES}))]
    return [_line("", event_type, merged) for event_type in types]


def _total(counts: Counter[tuple[str, str, str]], outcome: str) -> int:
    return sum(count for key, count in counts.items() if key[2] == outcome)


def _line(source: str, event_type: str, counts: Counter[tuple[str, str, str]]) -> Tally:
    return Tally(source, event_type, *(counts[source, event_type, outcome] for outcome in OUTCOMES))
