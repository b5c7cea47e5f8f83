"""PostgreSQL array literals, joined by hand: an adapter that looks at each element costs more than the insert."""

from collections.abc import Iterable, Sequence
from typing import Any

_SEPARATOR = "\x1f"  # stands in no JSON text and in no printable one


def text_array(texts: Sequence[str]) -> str:
    """Write `text[]` or `jsonb[]`; ValueError for a text with the control character that joins them here."""
    if not texts:
        return "{}"
    if _are_one(texts):
        return _repeated(text_array(texts[:1])[1:-1], len(texts))
    return '{"' + _escaped(joined(texts)).replace(_SEPARATOR, '","') + '"}'


def joined(texts: Sequence[str]) -> str:
    """Write what PostgreSQL cuts apart at the character between them; ValueError for a text that holds it itself."""
    whole = _SEPARATOR.join(texts)
    if whole.count(_SEPARATOR) != max(len(texts) - 1, 0) or "\x00" in whole:
        raise ValueError("a text holds a control character that cannot be sent to PostgreSQL")
    return whole


def nullable_array(texts: Iterable[str | None]) -> str:
    """Write the same where some are absent; `text_array` is many times faster."""
    found = list(texts)
    if _are_one(found) and found[0] is None:
        return _repeated("NULL", len(found))
    return "{" + ",".join("NULL" if text is None else f'"{_escaped(text)}"' for text in found) + "}"


def plain_array(values: Iterable[object]) -> str:
    """Write numbers or instants, whose text needs no quotes."""
    found = list(values)
    return _repeated(str(found[0]), len(found)) if _are_one(found) else "{" + ",".join(map(str, found)) + "}"


def _are_one(values: Sequence[Any]) -> bool:
    """Say that all of several are the same, as the source of a delivery's events mostly is."""
    return len(values) > 1 and values[0] == values[-1] and len(set(values)) == 1


def _repeated(text: str, times: int) -> str:
    return "{" + f"{text}," * (times - 1) + text + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
