"""Expected against found, from counts down to events: every difference with the reason that the figures give."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core import money
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content

EVENTS_TOLD = 20
FIGURES = ("document_type", "subtotal", "tax", "total", "payable", "on_document", "taxes", "breaks", "currency")
LINE_FIGURES = ("quantity", "amount", "price", "fee_version", "tax", "meter")
NAMES = {"on_document": "discounts and charges", "document_type": "document", "fee_version": "fee table"}
OUTCOME = {"duplicates": "duplicate", "accepted": "accepted", "quarantined": "quarantined"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that differs: where, what, both sides, and what it comes from."""

    step: str
    document: str
    line: str
    what: str
    expected: str
    found: str
    because: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "document": self.document,
            "line": self.line,
            "what": self.what,
            "expected": self.expected,
            "found": self.found,
            "because": self.because,
        }


def find_differences(content: Content, result: Mapping[str, Any]) -> list[Difference]:
    """Everything that the set says otherwise than the run; what it leaves unsaid is not compared."""
    found: list[Difference] = []
    outcomes: dict[str, str] = {}
    for step, came in zip(content["steps"], result["steps"], strict=True):
        found += _of_capture(step, came, outcomes)
        found += [_not_done(step["name"], "", words) for words in came["failed"]]
        found += _of_documents(step["name"], step["expected"], came["documents"], outcomes)
    return found


def find_changes(content: Content, base: Mapping[str, Any], other: Mapping[str, Any]) -> list[Difference]:
    """The same between two runs of a set: what another order of arrival, or another price, changed."""
    found: list[Difference] = []
    outcomes: dict[str, str] = {}
    for step, before, after in zip(content["steps"], base["steps"], other["steps"], strict=True):
        for _ in _of_capture(step, after, outcomes):
            pass  # only what became of each event is asked for
        found += _of_counts(step["name"], before, after)
        found += _of_documents(step["name"], before["documents"], after["documents"], outcomes)
        found += [_not_done(step["name"], "", words) for words in after["failed"] if words not in before["failed"]]
        found += [_not_done(step["name"], words, "") for words in before["failed"] if words not in after["failed"]]
    return found


def _not_done(step: str, expected: str, found: str) -> Difference:
    return Difference(step=step, document="", line="", what="not done", expected=expected, found=found)


def _of_counts(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for what in OUTCOME:
        if before[what] != after[what]:
            yield Difference(
                step=name, document="", line="", what=what, expected=str(before[what]), found=str(after[what])
            )


def _of_capture(step: Mapping[str, Any], came: Mapping[str, Any], outcomes: dict[str, str]) -> Iterator[Difference]:
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
                yield Difference(step=step["name"], document="", line=name, what="event", expected=expected, found=told)


def identity_of(text: str) -> str:
    """Source and id of an event, as lines name it."""
    try:
        event = contents.exact_json.read(text)
    except ValueError:
        return "an event that is no JSON"
    return f"{event.get('source')} {event.get('id')}" if isinstance(event, dict) else "an event that is no object"


def _of_documents(
    step: str, expected: Sequence[Any], found: Sequence[Any], outcomes: Mapping[str, str]
) -> Iterator[Difference]:
    wanted, there = ({one["key"]: one for one in side} for side in (expected, found))
    for key in sorted(wanted.keys() | there.keys()):
        before, after = wanted.get(key), there.get(key)
        if before is None or after is None:
            sides = [f"{one['total']} {one['currency']}" if one else "none" for one in (before, after)]
            yield Difference(step=step, document=key, line="", what="document", expected=sides[0], found=sides[1])
            continue
        yield from _of_lines(step, before, after, outcomes)
        for name in FIGURES:
            if name in before and not _is_same(before[name], after[name]):
                yield Difference(
                    step=step,
                    document=key,
                    line="",
                    what=NAMES.get(name, name),
                    expected=_say(before[name]),
                    found=_say(after[name]),
                )


def _is_same(expected: Any, found: Any) -> bool:
    """Whether two sides say the same; 61.4 and 61.40 do."""
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_is_same, expected, found))
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(_is_same(expected[name], found[name]) for name in expected)
    if isinstance(expected, str) and isinstance(found, str):
        return expected == found or (_number(expected) is not None and _number(expected) == _number(found))
    return bool(expected == found)


def _number(text: str) -> Decimal | None:
    try:
        return money.parse_decimal(text)
    except ValueError:
        return None


def _say(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_say(each) for each in value) or "none"
    if isinstance(value, dict):
        return " ".join(str(each) for each in value.values())
    return "none" if value is None else str(value)


def _of_lines(
    step: str, before: Mapping[str, Any], after: Mapping[str, Any], outcomes: Mapping[str, str]
) -> Iterator[Difference]:
    wanted, there = _by_place(before["lines"]), _by_place(after["lines"])
    for place in sorted(wanted.keys() | there.keys()):
        one, other = wanted.get(place), there.get(place)
        name = " ".join(place[:3]) if not place[3] else f"{' '.join(place[:3])}, corrects {place[3]}"
        if one is None or other is None:
            sides = ["none" if each is None else f"{each['quantity']} for {each['amount']}" for each in (one, other)]
            because = _of_events({}, other or {}, outcomes) if one is None else _of_events(one, {}, outcomes)
            yield Difference(
                step=step,
                document=before["key"],
                line=name,
                what="line",
                expected=sides[0],
                found=sides[1],
                because=because,
            )
            continue
        because = _reasons(one, other, outcomes)
        for what in LINE_FIGURES:
            if what in one and not _is_same(one[what], other[what]):
                yield Difference(
                    step=step,
                    document=before["key"],
                    line=name,
                    what=NAMES.get(what, what),
                    expected=_say(one[what]),
                    found=_say(other[what]),
                    because=because if what in ("quantity", "amount") else [],
                )
        if "events" in one and one["events"] != other["events"] and _is_same(one["quantity"], other["quantity"]):
            yield Difference(
                step=step,
                document=before["key"],
                line=name,
                what="events",
                expected=str(len(one["events"])),
                found=str(len(other["events"])),
                because=_of_events(one, other, outcomes),
            )


def _by_place(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str, str, int], Mapping[str, Any]]:
    """Lines by charge, segment and what they correct; of several of one place, in their order."""
    places: dict[tuple[str, str, str, str, int], Mapping[str, Any]] = {}
    seen: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for line in lines:
        place = (line["charge"], line["segment"][0], line["segment"][1], line.get("adjusts") or "")
        places[*place, seen[place]] = line
        seen[place] += 1
    return places


def _reasons(one: Mapping[str, Any], other: Mapping[str, Any], outcomes: Mapping[str, str]) -> list[str]:
    """Why quantity or amount differ: events first, then the price, then the price's own figures."""
    found = _of_events(one, other, outcomes)
    if "price" in one and one["price"] != other["price"]:
        found.append(f"price version {other['price']} instead of {one['price']}")
    elif "price_version" in one and one["price_version"] != other["price_version"]:
        found.append(f"price {other['price_version']} instead of {one['price_version']}")
    if "fee_version" in one and one["fee_version"] != other["fee_version"]:
        found.append(f"fee table {_say(other['fee_version'])} instead of {_say(one['fee_version'])}")
    if not found and not _is_same(one["quantity"], other["quantity"]):
        found.append(
            "the same events, counted otherwise" if one.get("events") else "the set names no events of this line"
        )
    if not found:
        found.append("the same quantity at the same price version comes to another amount")
    return found


def _of_events(one: Mapping[str, Any], other: Mapping[str, Any], outcomes: Mapping[str, str]) -> list[str]:
    if "events" not in one and one:
        return []
    wanted, there = one.get("events", {}), other.get("events", {})
    told = [
        f"{name} is missing (expected {wanted[name]}): {outcomes.get(name, 'not in the set')}"
        for name in sorted(wanted.keys() - there.keys())
    ]
    told += [f"{name} is extra ({there[name]})" for name in sorted(there.keys() - wanted.keys())]
    told += [
        f"{name} counts {there[name]} instead of {wanted[name]}"
        for name in sorted(wanted.keys() & there.keys())
        if wanted[name] != there[name]
    ]
    more = len(told) - EVENTS_TOLD
    return told if more <= 0 else [*told[:EVENTS_TOLD], f"and {more} events more"]


def sums_of(steps: Sequence[Mapping[str, Any]], *, documents: str) -> dict[str, dict[str, str]]:
    """Rated units by meter, and lines, documents and totals by currency."""
    units: dict[str, Decimal] = defaultdict(Decimal)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    lines = count = 0
    for step in steps:
        for document in step[documents]:
            count += 1
            totals[document["currency"]] += Decimal(document["total"])
            for line in document["lines"]:
                lines += 1
                if line.get("meter"):
                    units[line["meter"]] += Decimal(line["quantity"])
    return {
        "units": {name: money.plain(value) for name, value in sorted(units.items())},
        "totals": {name: money.amount_text(value, currency=name) for name, value in sorted(totals.items())},
        "counts": {"documents": str(count), "lines": str(lines)},
    }


def customer_totals(steps: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """What each customer is billed in each currency, all documents together."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for step in steps:
        for document in step["documents"]:
            found[document["customer"], document["currency"]] += Decimal(document["total"])
    return dict(found)
