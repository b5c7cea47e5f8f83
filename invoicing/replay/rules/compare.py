"""Expected against found, from counts down to events: every difference with the reason that the figures give."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from invoicing.replay.rules import because, labels
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content
from invoicing.replay.rules.sums import OUTCOMES

Found = Mapping[str, Any]
Place = tuple[str, str, str, str, int]
# Of a document; what follows from another figure is only told where that one does not differ.
FIGURES = {
    "document_type": "kind of document",
    "currency": "currency",
    "on_document": "discounts and charges",
    "subtotal": "net",
    "tax": "tax",
    "total": "total",
    "payable": "to be paid",
    "taxes": "tax by rate",
    "breaks": "breaks",
}
FOLLOWS = {"payable": "total", "taxes": "tax"}
LINE_FIGURES = {"quantity": "quantity", "amount": "amount", "tax": "tax rate", "meter": "meter"}
LINE_VERSIONS = {"price": "price version", "fee_version": "fee table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that differs: where, what, both sides, and what it comes from."""

    step: str
    document: str = ""
    line: str = ""
    what: str
    expected: str
    found: str
    because: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_differences(content: Content, result: Found) -> list[Difference]:
    """Everything that the set says otherwise than the run; what it leaves unsaid is not compared."""
    found: list[Difference] = []
    outcomes: dict[str, str] = {}
    for step, came in zip(content["steps"], result["steps"], strict=True):
        found += _of_capture(step, came, outcomes)
        found += [_not_done(step["name"], "", words) for words in came["failed"]]
        found += _of_documents(step["name"], step["expected"], came["documents"], outcomes)
    return found


def find_changes(content: Content, base: Found, other: Found) -> list[Difference]:
    """The same between two runs of a set: what another order of arrival, or another price, changed."""
    found: list[Difference] = []
    outcomes: dict[str, str] = {}
    for step, before, after in zip(content["steps"], base["steps"], other["steps"], strict=True):
        for _ in _of_capture(step, after, outcomes):
            pass  # only what became of each event is asked for
        found += [
            Difference(step=step["name"], what=what, expected=str(before[what]), found=str(after[what]))
            for what in OUTCOMES
            if before[what] != after[what]
        ]
        found += _of_documents(step["name"], before["documents"], after["documents"], outcomes)
        found += [_not_done(step["name"], "", words) for words in after["failed"] if words not in before["failed"]]
        found += [_not_done(step["name"], words, "") for words in before["failed"] if words not in after["failed"]]
    return found


def _not_done(step: str, expected: str, found: str) -> Difference:
    return Difference(step=step, what="not done", expected=expected, found=found)


def _of_capture(step: Found, came: Found, outcomes: dict[str, str]) -> Iterator[Difference]:
    """Event by event; what became of each is remembered for the lines that miss it."""
    others = {(one["delivery"], one["place"]): one for one in came["others"]}
    for delivery, sent in enumerate(step["deliveries"]):
        for place, event in enumerate(sent["events"]):
            other = others.get((delivery, place))
            became = "accepted" if other is None else other["becomes"]
            name = identity_of(event["event"])
            told = became if not other or not other["reasons"] else f"{became} ({', '.join(other['reasons'])})"
            if became != "duplicate":
                outcomes[name] = told
            expected = event.get("becomes")
            if expected is not None and expected != became:
                yield Difference(step=step["name"], line=name, what="event", expected=expected, found=told)


def identity_of(text: str) -> str:
    """Source and id of an event, as lines name it."""
    try:
        event = contents.exact_json.read(text)
    except ValueError:
        return "an event that is no JSON"
    return f"{event.get('source')} {event.get('id')}" if isinstance(event, dict) else "an event that is no object"


def _of_documents(
    step: str, expected: Sequence[Found], found: Sequence[Found], outcomes: Mapping[str, str]
) -> Iterator[Difference]:
    wanted, there = ({one["key"]: one for one in side} for side in (expected, found))
    for key in sorted(wanted.keys() | there.keys()):
        before, after = wanted.get(key), there.get(key)
        told = Difference(
            step=step,
            document=labels.document_label(after or before or {}),
            what="document",
            expected=_total(before),
            found=_total(after),
        )
        if before is None or after is None:
            yield told
            continue
        for each in [*_of_lines(before, after, outcomes), *_of_figures(before, after)]:
            yield replace(each, step=step, document=told.document)


def _total(document: Found | None) -> str:
    return "none" if document is None else f"{document['total']} {document['currency']}"


def _of_figures(before: Found, after: Found) -> Iterator[Difference]:
    differing = {name for name in FIGURES if name in before and not because.is_same(before[name], after[name])}
    for name, words in FIGURES.items():
        if name in differing and FOLLOWS.get(name) not in differing:
            yield Difference(step="", what=words, expected=labels.say(before[name]), found=labels.say(after[name]))


def _of_lines(before: Found, after: Found, outcomes: Mapping[str, str]) -> Iterator[Difference]:
    wanted, there = _by_place(before["lines"]), _by_place(after["lines"])
    for place in sorted(wanted.keys() | there.keys()):
        one, other = wanted.get(place), there.get(place)
        if one is not None and other is not None:
            yield from _of_line(one, other, outcomes)
            continue
        sides = ["none" if each is None else f"{each['quantity']} for {each['amount']}" for each in (one, other)]
        yield Difference(
            step="",
            line=labels.line_label(one or other or {}),
            what="line",
            expected=sides[0],
            found=sides[1],
            because=because.of_events(one or {}, other or {}, outcomes),
        )


def _of_line(one: Found, other: Found, outcomes: Mapping[str, str]) -> Iterator[Difference]:
    """Quantity and amount with their reasons; price and events by themselves only where neither differs."""
    name = labels.line_label(one)
    differing = [what for what in LINE_FIGURES if what in one and not because.is_same(one[what], other[what])]
    reasons = because.find_reasons(one, other, outcomes) if {"quantity", "amount"} & set(differing) else []
    for what in differing:
        yield Difference(
            step="",
            line=name,
            what=LINE_FIGURES[what],
            expected=labels.say(one[what]),
            found=labels.say(other[what]),
            because=reasons if what in ("quantity", "amount") else [],
        )
    if reasons:
        return
    for what, words in LINE_VERSIONS.items():
        if what in one and one[what] != other[what]:
            sides = labels.say(one[what]), labels.say(other[what])
            yield Difference(step="", line=name, what=words, expected=sides[0], found=sides[1])
    if "events" in one and one["events"] != other["events"]:
        told = because.of_events(one, other, outcomes)
        counts = str(len(one["events"])), str(len(other["events"]))
        yield Difference(step="", line=name, what="events", expected=counts[0], found=counts[1], because=told)


def _by_place(lines: Sequence[Found]) -> dict[Place, Found]:
    """Lines by charge, segment and what they correct; of several of one place, in their order."""
    places: dict[Place, Found] = {}
    seen: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for line in lines:
        place = (line["charge"], line["segment"][0], line["segment"][1], line.get("adjusts") or "")
        places[*place, seen[place]] = line
        seen[place] += 1
    return places
