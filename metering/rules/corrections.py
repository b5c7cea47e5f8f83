"""Corrections: an event that names another of its source, to amend it or to cancel it; nothing is overwritten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from metering.rules.contract import BillableEvent
from metering.rules.envelope import CANCEL, Correction
from metering.rules.reasons import Reason, reason

Identity = tuple[str, str]


class Correcting(NamedTuple):
    """A correcting event at its place in the delivery."""

    place: int
    event: BillableEvent
    correction: Correction

    @property
    def identity(self) -> Identity:
        return (self.event.source, self.event.event_id)

    @property
    def target(self) -> Identity:
        return (self.event.source, self.correction.corrects)


@dataclass(frozen=True, slots=True)
class Target:
    """An accepted event that is to be corrected, and what became of it so far; the texts are empty for nothing.

    Without a customer its row was found neither in the table nor in a file or another store.
    """

    customer_id: int | None
    contract_id: int | None
    amended_by: str = ""
    cancelled_by: str = ""
    is_cancellation: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """Which corrections of a delivery are taken, which came before, and which are held back, with the reason."""

    accepted: list[Correcting] = field(default_factory=list)
    duplicates: list[tuple[int, BillableEvent]] = field(default_factory=list)
    held: list[tuple[int, tuple[Reason, ...]]] = field(default_factory=list)


def judge_corrections(
    wanted: Sequence[Correcting], *, targets: Mapping[Identity, Target], marks: Mapping[Identity, bytes]
) -> Judged:
    """Take each correction in turn, so that one may correct what an earlier one of the same delivery said.

    `marks` are the fingerprints of those among them whose identity was accepted before.
    """
    judged, seen, standing = Judged(), dict(marks), dict(targets)
    for each in wanted:
        mark, target = seen.get(each.identity), standing.get(each.target)
        if mark == each.event.fingerprint:
            judged.duplicates.append((each.place, each.event))
        elif mark is not None:
            judged.held.append((each.place, (reason("conflict", pointer="/id"),)))
        elif target is None:
            judged.held.append((each.place, (reason("corrected_unknown", pointer="/corrects"),)))
        elif flaw := _find_flaw(each, target):
            judged.held.append((each.place, (flaw,)))
        else:
            judged.accepted.append(each)
            seen[each.identity] = each.event.fingerprint
            standing[each.target], standing[each.identity] = _corrected(each, target)
    return judged


def _corrected(each: Correcting, target: Target) -> tuple[Target, Target]:
    """How the corrected event and its correction stand now."""
    owner = (target.customer_id, target.contract_id)
    if each.correction.action == CANCEL:
        return Target(*owner, cancelled_by=each.event.event_id), Target(*owner, is_cancellation=True)
    return Target(*owner, amended_by=each.event.event_id), Target(*owner)


def _find_flaw(each: Correcting, target: Target) -> Reason | None:
    if target.customer_id is None:
        return reason("corrected_put_away", pointer="/corrects")
    if target.customer_id != each.event.customer_id:
        return reason("corrected_other", "The event to correct belongs to another customer.", pointer="/subject")
    if target.contract_id != each.event.contract_id:
        return reason("corrected_other", "The event to correct is of another type.", pointer="/type")
    if detail := _standing(target):
        return reason("corrected_before", detail, pointer="/corrects")
    return None


def _standing(target: Target) -> str:
    """Why the event can no longer be corrected, and what to do instead; empty where it can."""
    if target.amended_by:
        return f"The event was corrected before; correct {target.amended_by!a} instead, which stands for it now."
    if target.cancelled_by:
        return f"The event was cancelled by {target.cancelled_by!a}; send what was used as a new event."
    if target.is_cancellation:
        return "The event is a cancellation and counts nothing; send what was used as a new event."
    return ""
