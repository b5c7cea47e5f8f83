"""PostgreSQL array literals, joined by hand: an adapter that looks at each element costs more than the insert."""

from collections.abc import Iterable, Sequence

_SEPARATOR = "\x1f"  # stands in no JSON text and in no printable one


def text_array(texts: Sequence[str]) -> str:
    """Write `text[]` or `jsonb[]`; ValueError for a text with the control character that joins them here."""
    if not texts:
        return "{}"
    joined = _SEPARATOR.join(texts)
    if joined.count(_SEPARATOR) != len(texts) - 1 or "\x00" in joined:
        raise ValueError("a text holds a control character that cannot be sent to PostgreSQL")
    return '{"' + _escaped(joined).replace(_SEPARATOR, '","') + '"}'


def nullable_array(texts: Iterable[str | None]) -> str:
    """Write the same where some are absent; `text_array` is many times faster."""
    return "{" + ",".join("NULL" if text is None else f'"{_escaped(text)}"' for text in texts) + "}"


def plain_array(values: Iterable[object]) -> str:
    """Write numbers or instants, whose text needs no quotes."""
    return "{" + ",".join(map(str, values)) + "}"


def hex_array(values: Sequence[bytes]) -> str:
    """Write `bytea[]`."""
    return plain_array([r'"\\x' + value.hex() + '"' for value in values])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
