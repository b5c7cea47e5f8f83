"""Figures of a pack, what is said against changed ones, and which only the hashes hold."""

import random
from collections.abc import Iterable
from decimal import Context, localcontext
from pathlib import Path
from typing import Any

import orjson

from compliance.evidence import verify
from tests.builders import forgery

# What only the hashes hold, by the last name of its place in any file: words, and who knew what when.
STATED = {
    *("reason", "release_reason", "closing_reason", "description", "definition", "exclusions", "name", "unit", "note"),
    *("source", "memo", "detail", "cause", "label", "user_name", "plan_code", "code", "number", "status", "position"),
    *("created_by", "created_at", "decided_by", "decided_at", "proposed_by", "proposed_at", "activated_by", "person"),
    *(
        "activated_at",
        "received_at",
        "signed_at",
        "stored_at",
        "posted_at",
        "booked_on",
        "checked_at",
        "taken_at",
        "recorded_at",
    ),
    *("watermark_at", "rated_at", "audit_reference", "version", "issue_date", "invoice", "account", "schema", "id"),
    *("seq", "watermark", "starts_at", "kind"),
}
# And what decides nothing for the usage that there is, such as how a division would be rounded where none is made.
AGREED = {"billed", "partial_period", "zero_usage_policy", "proration_unit", "effective_at", "amount"}
MEASURED = {"decimals", "rounding", "tie_break", "negative_total", "operation_property", "period", "contracts"} | {
    "effective_at"
}
# A whole share of days stays whole by a second more; what credit notes gave back decides where more is given back.
RATED = {"stretches", "credited"}
ELSEWHERE = {
    "segment",
    "computation",
    "drafted",
    "invoice_kind",
}  # of a line of another invoice, whose own pack holds them
IDLE: dict[str, set[str]] = {
    "prices.json": AGREED,
    "usage.json": MEASURED,
    "ratings.json": RATED,
    "decisions.json": {"breaks"},
}


def found(path: Path) -> str | None:
    """What the verifier says against this pack; None for nothing."""
    told: list[str] = []
    code = verify.run(path, told.append)
    return None if code == verify.HOLDS else told[-1].strip()


def documents(files: dict[str, bytes]) -> dict[str, Any]:
    told = {name: verify.read_json(content) for name, content in files.items() if name.endswith(".json")}
    events = {name: content.splitlines() for name, content in files.items() if name.startswith("events/")}
    told |= {name: [orjson.loads(line) for line in lines] for name, lines in events.items()}
    return {name: document for name, document in told.items() if name not in (*forgery.SEALED, "people.json")}


def figures(files: dict[str, bytes]) -> list[tuple[str, forgery.Place, Any]]:
    """File, place and value of all that a figure follows from, or that another contradicts."""
    told = documents(files)
    own = told["invoice.json"]["id"]
    found_at = []
    for name, document in sorted(told.items()):
        for place, value in forgery.leaves(document):
            is_elsewhere = name == "ratings.json" and document[place[0]]["line"]["invoice"] != own
            if not is_stated(name, place) and not (is_elsewhere and ELSEWHERE.intersection(place)):
                found_at.append((name, place, value))
    return found_at


def is_stated(name: str, place: forgery.Place) -> bool:
    last = next(step for step in reversed(place) if isinstance(step, str))
    return last in STATED or bool(IDLE.get(name, set()).intersection(map(str, place)))


def write(name: str, document: Any) -> bytes:
    if name.startswith("events/"):
        return b"".join(orjson.dumps(line) + b"\n" for line in document)
    return verify.canonical(document).encode()


def entries_of(files: dict[str, bytes]) -> dict[str, Any]:
    """The words of the audit chain about this invoice, by reference."""
    said = [orjson.loads(line).get("says") for line in files["chain.ndjson"].splitlines()]
    told = [orjson.loads(one) for one in said if one is not None]
    return {one["reference"]: one for one in told}


def found_by_figures(files: dict[str, bytes]) -> str | None:
    """What the figures alone say, whatever the hashes of files and the seal would; None for nothing."""
    report = verify.Report()
    try:
        with localcontext(Context(prec=100)):
            verify.check_figures(forgery.Unpacked(files), entries_of(files), report)
    except verify.DoesNotHoldError as error:
        return str(error)
    except verify.UNREADABLE as error:
        return repr(error)
    return "; ".join(report.left_out) or None


# Files in which every pack has a figure that another contradicts; others are empty where there is nothing to tell.
ALWAYS = {f"{name}.json" for name in ("content", "decisions", "invoice", "money", "policy", "prices", "ratings")}


def sampled(files: dict[str, bytes]) -> list[str]:
    """Which of a change to every file of a pack, at a place by chance, is found by no figure.

    Of what was agreed, only what is sure to be in force: which of a price's tiers a quantity reaches is chance.
    """
    told, places, dice = documents(files), figures(files), random.Random(45)  # noqa: S311  repeatable
    used = {one["price_version"] for one in told["ratings.json"]}
    versions = [place for place, one in enumerate(told["prices.json"]["price_versions"]) if one["id"] in used]
    chosen = {name: [place for file, place, _ in places if file == name] for name in told}
    chosen["prices.json"] = [("price_versions", number, "effective_at") for number in versions]
    chosen = {name: [dice.choice(own)] for name, own in chosen.items() if own}
    assert chosen.keys() >= ALWAYS, "a file has nothing to change"
    return [one for name, own in chosen.items() for one in missed(files, name, own, times=1)]


def missed(files: dict[str, bytes], name: str, places: Iterable[forgery.Place], *, times: int = 2) -> list[str]:
    """Which changes at these places of one file are found by no figure."""
    told, dice = documents(files)[name], random.Random(44)  # noqa: S311  repeatable
    unnoticed = []
    for place in places:
        value = dict(forgery.leaves(told))[place]
        for other in {forgery.change(value, dice) for _ in range(times)}:
            forgery.put(told, place, other)
            if found_by_figures(files | {name: write(name, told)}) is None:
                unnoticed.append(f"{name} {place}: {value} → {other}")
            forgery.put(told, place, value)
    return unnoticed
