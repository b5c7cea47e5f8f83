"""What is still due on each final document of one customer in one currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import rounding

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A final document: what it asks for (below 0 in the customer's favour), and what came in for it, net of refunds.

    `credits` names the invoice that a credit note gives back.
    """

    id: int
    asked: Decimal
    paid: Decimal = NOTHING
    credits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How a document stands: asked = paid + credited + set off + due − in favour."""

    asked: Decimal
    paid: Decimal
    credited: Decimal
    set_off: Decimal
    due: Decimal
    in_favour: Decimal  # what this document leaves over, before any of it pays others


def dues_of(documents: Sequence[Document]) -> dict[int, Due]:
    """By document, given in the order in which they became final.

    A credit note pays its own invoice first. What then stands in the customer's favour, from whichever document, pays
    what is open, the oldest first, as far as it goes: so do the books, where nobody owes and has a balance at once.
    """
    with rounding.exactly():
        credited = _credited(documents)
        open_ = {one.id: one.asked - one.paid - credited.get(one.id, NOTHING) for one in documents}
        pool = sum((-left for left in open_.values() if left < 0), NOTHING)
        found = {}
        for one in documents:
            left = max(open_[one.id], NOTHING)
            set_off = min(left, pool)
            pool -= set_off
            found[one.id] = Due(
                asked=one.asked,
                paid=one.paid,
                credited=credited.get(one.id, NOTHING),
                set_off=set_off,
                due=left - set_off,
                in_favour=max(-open_[one.id], NOTHING),
            )
    return found


def _credited(documents: Sequence[Document]) -> dict[int, Decimal]:
    """What credit notes give each invoice, and, below 0, what each note has given away by that."""
    asked = {one.id: one.asked - one.paid for one in documents}
    given: dict[int, Decimal] = {}
    for note in documents:
        if note.credits not in asked or note.asked >= 0:
            continue
        room = max(asked[note.credits] - given.get(note.credits, NOTHING), NOTHING)
        amount = min(-note.asked, room)
        given[note.credits] = given.get(note.credits, NOTHING) + amount
        given[note.id] = given.get(note.id, NOTHING) - amount
    return given
