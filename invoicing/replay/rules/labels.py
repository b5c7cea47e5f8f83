"""How differences name steps, documents, lines and figures for people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

KINDS = {"interim": "interim invoice", "adjustment": "corrections"}


def document_label(document: Mapping[str, Any]) -> str:
    """Such as `acme (subscription 7), 1 Oct 2026 to 1 Nov 2026`; the key where the set says no more."""
    if "period" not in document:
        return str(document["key"])
    who = document["customer"]
    if "subscription" in document:
        who = f"{who} (subscription {document['subscription']})"
    kind = KINDS.get(document.get("kind", ""), "")
    what = f", {kind} {document['key'].rpartition('/')[2]}" if kind else ""
    return f"{who}{what}, {span_label(document['period'])}"


def line_label(line: Mapping[str, Any]) -> str:
    """Such as `plan/tokens, 1 Oct 2026 to 16 Oct 2026`."""
    corrected = f", corrects {instant_label(line['adjusts'])}" if line.get("adjusts") else ""
    return f"{line['charge']}, {span_label(line['segment'])}{corrected}"


def span_label(span: Any) -> str:
    start, end = span
    return f"{instant_label(start)} to {instant_label(end)}"


def instant_label(text: str) -> str:
    """A day where it begins one in UTC, else with its time."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    day = f"{at.day} {at:%b %Y}"
    return day if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{day} {at:%H:%M}"


def say(value: Any) -> str:
    """A figure, or a list of them, as it stands in a table."""
    if isinstance(value, list):
        return "; ".join(say(each) for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {each}" for name, each in value.items())
    return "none" if value is None else str(value)
