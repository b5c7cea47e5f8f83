"""What a set holds, as plain JSON: its one canonical text, its shape, and what is wrong with one that was sent."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from core.errors import InvalidInputError
from invoicing.replay.rules.shape import SHAPE
from metering.rules import exact_json
from metering.rules.schema import Schema

Content = dict[str, Any]
EVENTS_MAX = 100_000
BYTES_MAX = 64 * 1024 * 1024
FLAWS_MAX = 20
_COMPILED = Schema(SHAPE)


class ContentInvalidError(InvalidInputError):
    """The content of a set has not the shape that is documented; each flaw has its pointer."""

    code = "replay_set_invalid"

    def __init__(self, flaws: list[tuple[str, str]]) -> None:
        pointer, detail = flaws[0]
        super().__init__(f"This is no content of a replay set: {pointer or '/'}: {detail}")
        self.flaws = flaws[:FLAWS_MAX]

    def problems(self) -> list[dict[str, str]]:
        return [{"pointer": pointer, "code": self.code, "detail": detail} for pointer, detail in self.flaws]


def canonical_text(content: Content) -> bytes:
    """Equal content, equal bytes: sorted names, exact numbers, no blanks."""
    return exact_json.write(content)


def hash_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def pack(text: bytes) -> bytes:
    return zlib.compress(text, 6)


def unpack(packed: bytes | memoryview) -> Content:
    found: Content = exact_json.read(zlib.decompress(bytes(packed)).decode())
    return found


def check(content: Any) -> Content:
    """ContentInvalidError with every flaw that shows without a database; gives the content back."""
    flaws = [(one.pointer.removeprefix("/data"), one.detail) for one in _COMPILED.find_flaws(content)]
    if not flaws:
        flaws = [*_flaws_of_order(content), *_flaws_of_events(content)]
    if flaws:
        raise ContentInvalidError(flaws)
    checked: Content = content
    return checked


def events_of(content: Content) -> Iterator[tuple[int, int, int, Mapping[str, Any]]]:
    """Every event in the order of delivery, with the numbers of its step, delivery and place."""
    for number, step in enumerate(content["steps"]):
        for delivery, sent in enumerate(step["deliveries"]):
            for place, event in enumerate(sent["events"]):
                yield number, delivery, place, event


def documents_of(content: Content) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every expected document with the number of its step."""
    for number, step in enumerate(content["steps"]):
        for document in step["expected"]:
            yield number, document


def read_instant(text: str) -> datetime:
    """An instant as the shape has it; ValueError for anything else."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("no offset from UTC")
    return found


def _flaws_of_order(content: Content) -> Iterator[tuple[str, str]]:
    last: datetime | None = None
    for pointer, text in _instants(content):
        try:
            at = read_instant(text)
        except ValueError:
            yield pointer, f"{text[:40]!r} is no instant with its offset from UTC, such as 2026-11-01T00:00:00Z."
            continue
        if pointer.endswith("/draft/at"):
            if last is not None and at < last:
                yield pointer, "Steps stand in the order of time: this one is before the one above it."
            last = at


def _instants(content: Content) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(content["steps"]):
        for place, sent in enumerate(step["deliveries"]):
            yield f"/steps/{number}/deliveries/{place}/at", sent["at"]
        for place, begun in enumerate(step.get("begun", [])):
            yield from ((f"/steps/{number}/begun/{place}/period/{edge}", begun["period"][edge]) for edge in (0, 1))
            yield f"/steps/{number}/begun/{place}/at", begun["at"]
        if step["draft"] is not None:
            yield f"/steps/{number}/draft/as_of", step["draft"]["as_of"]
            yield f"/steps/{number}/draft/at", step["draft"]["at"]
        for place, issued in enumerate(step["issue"]):
            yield f"/steps/{number}/issue/{place}/at", issued["at"]


def _flaws_of_events(content: Content) -> Iterator[tuple[str, str]]:
    count = sum(1 for _ in events_of(content))
    if count > EVENTS_MAX:
        yield "/steps", f"It holds {count} events; a set holds at most {EVENTS_MAX}. Take fewer customers or periods."
    keys = {document["key"] for _, document in documents_of(content)}
    for number, step in enumerate(content["steps"]):
        for place, issued in enumerate(step["issue"]):
            if issued["key"] not in keys:
                yield f"/steps/{number}/issue/{place}/key", f"No step expects a document {issued['key'][:120]}."
