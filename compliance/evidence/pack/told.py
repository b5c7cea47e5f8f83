"""What rooms above know of an invoice, for its pack: they register who tells it, since nothing here knows of them.

# in the `ready` of a room above
told.register_teller(kind="disputes", teller=in_packs.tell_disputes)

def tell_disputes(invoice: Invoice) -> Told: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from invoicing.cycle.models import Invoice

KINDS = ("disputes",)  # those that a pack can hold, and the verifier knows; where nobody tells one, there is none


@dataclass(frozen=True, slots=True)
class Told:
    """Plain rows, without anything that names a person, and the entries of the audit chain shown in words for them."""

    rows: list[dict[str, Any]]
    entries: frozenset[int] = frozenset()


Teller = Callable[[Invoice], Told]
_tellers: dict[str, Teller] = {}


def register_teller(*, kind: str, teller: Teller) -> None:
    """Let it tell this kind from now on; done once, when the application starts."""
    if kind not in KINDS or kind in _tellers:
        raise ValueError(f"{kind} is told already, or is no kind of thing that a pack holds")
    _tellers[kind] = teller


def tell(invoice: Invoice) -> dict[str, Told]:
    """By kind, all that there is of each."""
    return {kind: _tellers[kind](invoice) if kind in _tellers else Told([]) for kind in KINDS}
