"""From everything a gateway told about a payment to the step that comes next, in whatever order it was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from invoicing.payments.rules.lifecycle import Status, Step

NOTHING = Decimal(0)
WON = frozenset({"won"})
LOST = frozenset({"lost"})
DECIDED = WON | LOST


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its id here, when the gateway says it happened, and its facts as `stripe_events` reads them."""

    id: int
    at: datetime
    facts: Mapping[str, Any]

    def amount(self, name: str) -> Decimal:
        return Decimal(self.facts.get(name) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """Where the payment stands: its status ("" where there is none yet), what went back, and its disputes."""

    status: str = ""
    refunded: Decimal = NOTHING
    disputes: frozenset[tuple[str, str]] = frozenset()  # (dispute, step) of the steps that were taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step that is to be taken, by which event."""

    step: Step
    by: Told
    amount: Decimal = NOTHING
    fee: Decimal = NOTHING


def next_step(stands: Stands, events: Sequence[Told]) -> Due | None:
    """The one step that comes next; None where all that was told is recorded.

    An older event moves nothing back: what is asked is what holds by all events together.
    """
    ordered = sorted(events, key=lambda one: (one.at, one.id))
    if not stands.status:
        return _begin(ordered)
    settled = _first(ordered, Status.SETTLED)
    if stands.status in (Status.PENDING, Status.ERRORED):
        if settled is not None:
            return Due(step=Step.SETTLED, by=settled, amount=settled.amount("received"), fee=_known_fee(ordered))
        failed = _first(ordered, Status.ERRORED)
        return Due(step=Step.FAILED, by=failed) if failed and stands.status == Status.PENDING else None
    return _refund(stands, ordered) or _dispute(stands, ordered)


def begins_with(events: Sequence[Told]) -> Told | None:
    """The earliest event that names an invoice and an amount."""
    named = [
        one
        for one in events
        if one.facts["invoice"] and one.facts["state"] and one.facts["of"] != "dispute" and one.amount("amount") > 0
    ]
    return min(named, key=lambda one: (one.at, one.id), default=None)


def contradictions(events: Sequence[Told]) -> list[Told]:
    """What says that a payment failed after it was settled: nothing follows, and somebody should look."""
    settled = _first(sorted(events, key=lambda one: (one.at, one.id)), Status.SETTLED)
    return [one for one in events if settled and _speaks_for(one, Status.ERRORED) and one.at > settled.at]


def _begin(ordered: Sequence[Told]) -> Due | None:
    first = begins_with(ordered)
    return None if first is None else Due(step=Step.RECORDED, by=first, amount=first.amount("amount"))


def _speaks_for(one: Told, status: Status) -> bool:
    return bool(one.facts["of"] != "dispute" and one.facts["state"] == status)


def _first(ordered: Sequence[Told], status: Status) -> Told | None:
    return next((one for one in ordered if _speaks_for(one, status)), None)


def _known_fee(ordered: Sequence[Told]) -> Decimal:
    """As the gateway told it with the money, if it did."""
    settling = (one for one in ordered if _speaks_for(one, Status.SETTLED))
    return next((one.amount("fee") for one in settling if one.facts.get("fee") is not None), NOTHING)


def _refund(stands: Stands, ordered: Sequence[Told]) -> Due | None:
    """Charges say how much went back in all, so the greatest figure is the latest."""
    most = max(
        (one for one in ordered if one.facts["of"] == "charge"), key=lambda one: one.amount("refunded"), default=None
    )
    if most is None or most.amount("refunded") <= stands.refunded or stands.status == Status.REFUNDED:
        return None
    return Due(step=Step.REFUNDED, by=most, amount=most.amount("refunded") - stands.refunded)


def _dispute(stands: Stands, ordered: Sequence[Told]) -> Due | None:
    for dispute in dict.fromkeys(one.facts["dispute"] for one in ordered if one.facts["of"] == "dispute"):
        about = [one for one in ordered if one.facts.get("dispute") == dispute]
        if (due := _of_one(stands, dispute, about)) is not None:
            return due
    return None


def _of_one(stands: Stands, dispute: str, about: Sequence[Told]) -> Due | None:
    """A dispute that took no money moves nothing; one that was decided took it before."""
    decided = next((one for one in about if one.facts["raw"] in DECIDED), None)
    open_ = next((one for one in about if one.facts["state"] == Status.CHARGEBACK), None)
    began = open_ or decided
    if began is None:
        return None
    if (dispute, Step.DISPUTED) not in stands.disputes:
        can = stands.status == Status.SETTLED
        fee = max((one.amount("fee") for one in about), default=NOTHING)
        return Due(step=Step.DISPUTED, by=began, amount=began.amount("amount"), fee=fee) if can else None
    if decided is None or stands.status != Status.CHARGEBACK:
        return None
    step = Step.WON if decided.facts["raw"] in WON else Step.LOST
    if {(dispute, Step.WON), (dispute, Step.LOST)} & stands.disputes:
        return None
    return Due(
        step=step,
        by=decided,
        amount=began.amount("amount"),
        fee=decided.amount("fee_back") if step == Step.WON else NOTHING,
    )
