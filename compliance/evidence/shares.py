"""The share of its period that a line is for, told in sentences: which time counts, and what was agreed of it."""

import re
from collections.abc import Iterator

from compliance.evidence.agreed import Agreed, Piece
from compliance.evidence.rules import spans
from invoicing.rating.rules.proration import Share

PIECES_MAX = 6


def tell(agreed: Agreed, *, is_fee: bool, zone: str) -> Iterator[str]:
    """Nothing for usage that no period divides."""
    if agreed.used_of is not None:
        yield from _used(agreed, zone=zone)
    elif agreed.is_divided:
        what = "It is for" if is_fee else "What its price includes or limits is divided by time: it is for"
        all_of_it = "the whole period, " if agreed.share.part == agreed.share.whole else ""
        yield f"{what} {all_of_it}{in_words(agreed.share)}: {_pieces(agreed, zone=zone)}."


def in_words(share: Share) -> str:
    """14 of 31 days; 1,000,800 of 2,678,400 seconds."""
    return re.sub(r"(?<![\d.])\d+", lambda found: f"{int(found[0]):,}", share.counted)


def fraction(share: Share) -> str:
    """14/31; of seconds, in whole seconds or to the microsecond."""
    part, _, rest = in_words(share).partition(" of ")
    return f"{part}/{rest.partition(' ')[0]}"


def _piece(piece: Piece, *, zone: str, is_only: bool) -> str:
    """1 Oct 2026 to 14 Oct 2026 (14 of 31 days) on the plan Basic by version 1 of its terms, at price version 1."""
    span = spans.tell(piece.start, piece.end, zone=zone)
    share = "" if is_only else f" ({in_words(piece.share)})"
    plan = f"on the plan {piece.terms.plan.name} by version {piece.terms.version} of its terms"
    return f"{span}{share} {plan}, at price version {piece.price.version}"


def _used(agreed: Agreed, *, zone: str) -> Iterator[str]:
    assert agreed.used_of is not None  # noqa: S101  only such lines come here
    paid = spans.tell(agreed.used_of.start, agreed.used_of.end, zone=zone)
    if not agreed.pieces:
        why = "the subscription had ended, or another plan or price held"
        yield f"Paid in advance was {paid}; nothing of that was used: {why}."
        return
    yield f"Paid in advance was {paid}; used of that was {in_words(agreed.share)}: {_pieces(agreed, zone=zone)}."


def _pieces(agreed: Agreed, *, zone: str) -> str:
    is_only = len(agreed.pieces) == 1
    told = [_piece(piece, zone=zone, is_only=is_only) for piece in agreed.pieces[:PIECES_MAX]]
    more = len(agreed.pieces) - len(told)
    return "; ".join([*told, *([f"and {more} more stretches"] if more else [])]) or "nothing was agreed for it"
