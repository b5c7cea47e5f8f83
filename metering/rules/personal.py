"""Properties of `data` that say something about a person: which a contract marks, and how an event carries them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from metering.rules.reasons import Reason, pointer_to, reason

MARK = "x-personal"
WHY = "correctionreason"  # the attribute in which a sender says why an event is corrected
SEALED = re.compile(r"sealed:1:[0-9]{1,19}:[A-Za-z0-9_-]{38,}")  # as `core.sealing` writes it
Seal = Callable[[str, str], str]  # of a property and its text; equal texts of one customer give equal seals
Data = dict[str, Any]


def marked(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The properties that the schema marks with `"x-personal": true`."""
    properties = schema.get("properties")
    declared = properties if isinstance(properties, dict) else {}
    return tuple(name for name, what in declared.items() if isinstance(what, dict) and what.get(MARK) is True)


def is_sealed(value: Any) -> bool:
    return type(value) is str and SEALED.fullmatch(value) is not None


def in_clear(data: Data, *, names: Sequence[str]) -> list[str]:
    """Which of these properties say something that is still to be sealed."""
    return [name for name in names if type(text := data.get(name)) is str and text and not SEALED.fullmatch(text)]


def sealed_before(data: Data, *, names: Sequence[str]) -> list[str]:
    """Which of them are sealed already, as in an event that is played again as it lies here."""
    return [name for name in names if type(text := data.get(name)) is str and SEALED.fullmatch(text)]


def seal_why(extras: Data, *, seal: Seal | None) -> Data | None:
    """The attributes of an event with what a sender wrote of a correction sealed; None where it cannot be kept."""
    if not in_clear(extras, names=(WHY,)):
        return extras
    return None if seal is None else seal_data(extras, names=(WHY,), seal=seal)


def seal_data(data: Data, *, names: Sequence[str], seal: Seal) -> Data:
    """The same with these properties sealed, which the contract says are texts."""
    return {**data, **{name: seal(name, data[name]) for name in names}}


def find_flaws(schema: Mapping[str, Any], *, billing_fields: Sequence[str]) -> Iterator[Reason]:
    """What is sealed is a text, and nothing that is counted."""
    for name in marked(schema):
        pointer = pointer_to(("schema", "properties", name))
        if schema["properties"][name].get("type") != "string":
            yield reason("personal_not_text", f"{name!a} is personal, so its type must be string.", pointer=pointer)
        if name in billing_fields:
            yield reason("personal_is_billed", f"{name!a} is personal; billing may not require it.", pointer=pointer)
    for path in _deeper(schema, ()):
        detail = f"Only properties of data itself can be marked {MARK}."
        yield reason("personal_too_deep", detail, pointer=pointer_to(("schema", *path)))


def _deeper(part: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where the mark stands that `marked` does not look at."""
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(part, dict):
        is_known = len(path) == 2 and path[0] == "properties"  # noqa: PLR2004  /properties/NAME
        if MARK in part and not is_known:
            yield path
        inner = iter(part.items())
    elif isinstance(part, list):
        inner = iter(enumerate(part))
    for step, value in inner:
        yield from _deeper(value, (*path, step))
