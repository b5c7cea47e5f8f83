"""Signed exceptions to the launch checklist: who signs, for how long, and what is signed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from compliance.launch.rules.boxes import TITLES, Box
from core import canonical

SIGNING_ROLES = ("finance", "ops")  # who answers for the money, and who answers for what happens to customers
LENGTH_MAX = timedelta(days=31)


def hash_of(*, program: str, boxes: Sequence[str], reason: str, ends_at: datetime) -> str:
    """What the two sign: SHA-256 over the scope, the reason and the end."""
    return canonical.content_hash({"program": program, "boxes": list(boxes), "reason": reason, "ends_at": ends_at})


def flaw_of_boxes(boxes: Sequence[str]) -> str | None:
    """Why these cannot be excepted, as a sentence; None where they can."""
    unknown = [box[:60] for box in boxes if box not in set(Box)]
    if unknown:
        return f"There is no box {unknown[0]}; the boxes are {', '.join(Box)}."
    if not boxes or len(set(boxes)) < len(boxes):
        return "Name at least one box, each once."
    return None


def flaw_of_end(*, ends_at: datetime, at: datetime) -> str | None:
    if ends_at <= at:
        return "An exception ends later than now."
    if ends_at > at + LENGTH_MAX:
        return f"An exception lasts {LENGTH_MAX.days} days at most; after that somebody has to decide again."
    return None


def titles_of(boxes: Iterable[str]) -> str:
    return ", ".join(TITLES[Box(box)] for box in boxes)
