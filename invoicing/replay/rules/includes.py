"""What a set shows of what goes wrong in billing: resends, late arrivals, changes of plan, thresholds crossed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content

SHOWN = {
    "retries": "deduplicated retries",
    "late_arrivals": "late arrivals",
    "plan_changes": "plan changes",
    "threshold_crossings": "threshold crossings",
}

ADDED = "retries_added"


def find_includes(content: Content) -> dict[str, int]:
    """How many of each there are; 0 says that the set lacks it. `retries_added` were put there by who made the set."""
    return {
        "retries": _count_retries(content),
        ADDED: sum(_is_retry(event) and event.get("added", False) for _, _, _, event in contents.events_of(content)),
        "late_arrivals": _count_late(content),
        "plan_changes": _count_plan_changes(content),
        "threshold_crossings": _count_crossings(content),
    }


def say(found: Mapping[str, int], name: str) -> str:
    """How many of them in words: 3; 3, all added by whoever made the set; none: the set lacks them."""
    count, added = found[name], found.get(ADDED, 0)
    if not count:
        return "none: the set lacks them"
    if name != "retries" or not added:
        return str(count)
    return f"{count}, {'all' if added == count else added} added by whoever made the set, not sent by anybody"


def missing_of(found: Iterable[Mapping[str, int]]) -> list[str]:
    """What none of these sets includes, in words."""
    together: Counter[str] = Counter()
    for one in found:
        together.update(one)
    return [words for name, words in SHOWN.items() if not together[name]]


def _count_retries(content: Content) -> int:
    return sum(_is_retry(event) for _, _, _, event in contents.events_of(content))


def _is_retry(event: Mapping[str, Any]) -> bool:
    return event.get("becomes") == "duplicate"


def _count_late(content: Content) -> int:
    """Events delivered after a document of their customer and their time was drafted."""
    drafted: list[tuple[int, str, str, str]] = [
        (number, document["customer"], *document["period"])
        for number, document in contents.documents_of(content)
        if document.get("kind", "cycle") == "cycle" and "period" in document
    ]
    spans = [(step, who, contents.read_instant(start), contents.read_instant(end)) for step, who, start, end in drafted]
    late = 0
    for number, _, _, sent in contents.events_of(content):
        subject, time = _subject_and_time(sent["event"])
        earlier = [span for span in spans if span[0] < number and span[1] == subject]
        if not earlier or sent.get("becomes", "accepted") != "accepted":
            continue
        try:
            occurred = contents.read_instant(time)
        except ValueError:
            continue
        late += any(start <= occurred < end for _, _, start, end in earlier)
    return late


def _subject_and_time(text: str) -> tuple[str, str]:
    try:
        event = contents.exact_json.read(text)
    except ValueError:
        return "", ""
    return (str(event.get("subject")), str(event.get("time"))) if isinstance(event, dict) else ("", "")


def _count_plan_changes(content: Content) -> int:
    phases = {row["id"]: row["subscription_id"] for row in _rows(content, "pricing_subscriptionphase")}
    return len(phases) - len(set(phases.values()))


def _count_crossings(content: Content) -> int:
    """Interim documents, and lines whose quantity lies beyond the first tier of their price."""
    bounds = {row["id"]: _first_bound(row["params"]) for row in _rows(content, "pricing_priceversion")}
    crossed = 0
    for _, document in contents.documents_of(content):
        crossed += document.get("kind") == "interim"
        for line in document["lines"]:
            bound = bounds.get(line.get("price_version"))
            crossed += bound is not None and Decimal(line["quantity"]) > bound
    return crossed


def _first_bound(params: Any) -> Decimal | None:
    tiers = params.get("tiers") if isinstance(params, dict) else None
    first = tiers[0].get("up_to") if isinstance(tiers, list) and tiers and isinstance(tiers[0], dict) else None
    return None if first is None else Decimal(str(first))


def _rows(content: Content, table: str) -> list[dict[str, Any]]:
    return [row for step in content["steps"] for row in step["rows"].get(table, [])]
