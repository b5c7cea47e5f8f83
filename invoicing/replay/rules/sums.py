"""What a set and a run come to: events captured, units rated, lines, totals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core import money
from invoicing.replay.rules.content import Content

OUTCOMES = {"accepted": "accepted", "duplicates": "duplicate", "quarantined": "quarantined"}


def count_rows(content: Content, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Each count with what is expected, empty where the set does not say, and what was found."""
    wanted = [
        event.get("becomes") for step in content["steps"] for sent in step["deliveries"] for event in sent["events"]
    ]
    rows = [
        _row(what, "" if None in wanted else str(wanted.count(name)), str(sum(step[what] for step in steps)))
        for what, name in OUTCOMES.items()
    ]
    expected, found = sums_of(content["steps"], documents="expected"), sums_of(steps, documents="documents")
    for kind, words in (("counts", "{}"), ("units", "rated {}"), ("totals", "total {}")):
        rows += [
            _row(words.format(name), expected[kind].get(name, "0"), found[kind].get(name, "0"))
            for name in sorted(expected[kind].keys() | found[kind].keys())
        ]
    return rows


def _row(what: str, expected: str, found: str) -> dict[str, str]:
    return {"what": what, "expected": expected, "found": found}


def sums_of(steps: Sequence[Mapping[str, Any]], *, documents: str) -> dict[str, dict[str, str]]:
    """Documents and lines, rated units by meter, and totals by currency."""
    units: dict[str, Decimal] = defaultdict(Decimal)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    lines = count = 0
    for step in steps:
        for document in step[documents]:
            count += 1
            totals[document["currency"]] += Decimal(document["total"])
            lines += len(document["lines"])
            for line in document["lines"]:
                if line.get("meter"):
                    units[line["meter"]] += Decimal(line["quantity"])
    return {
        "units": {name: money.plain(value) for name, value in sorted(units.items())},
        "totals": {name: money.amount_text(value, currency=name) for name, value in sorted(totals.items())},
        "counts": {"documents": str(count), "lines": str(lines)},
    }


def customer_totals(steps: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """What each customer is billed in each currency, all documents of a run together."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for step in steps:
        for document in step["documents"]:
            found[document["customer"], document["currency"]] += Decimal(document["total"])
    return dict(found)
