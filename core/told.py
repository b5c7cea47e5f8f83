"""What somebody wrote about a person, as it is read and as it is kept."""

from typing import Any, Self


class Told(str):
    """A text to be read; `kept` is the same as the database, the audit chain and every hash have it, which is sealed.

    Whoever cuts it or joins it to something has an ordinary text again: seal after that, not before.
    """

    __slots__ = ("kept",)
    kept: str

    def __new__(cls, text: str, kept: str) -> Self:
        told = super().__new__(cls, text)
        told.kept = kept
        return told

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # what copies are made of
        return str(self), self.kept


def kept(value: Any) -> Any:
    """A text as it is kept; any other value as it is."""
    return value.kept if isinstance(value, Told) else value


def kept_within(value: Any) -> Any:
    """The same for every text inside a JSON value."""
    if isinstance(value, dict):
        return {name: kept_within(inner) for name, inner in value.items()}
    return [kept_within(inner) for inner in value] if isinstance(value, list | tuple) else kept(value)
