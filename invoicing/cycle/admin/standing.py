"""Who is needed next on an invoice, in words that name people."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from accounts.roles import Role
from invoicing.cycle import approve, delta_decide, offences
from invoicing.cycle.admin.timeline import name_of
from invoicing.cycle.models import Hold, Invoice

Status = Invoice.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What has to happen, who can do it, and who cannot and why."""

    what: str
    able: list[str]
    unable: list[tuple[str, str]]


def next_step(invoice: Invoice) -> Next | None:
    """None where nothing more happens to the invoice."""
    if invoice.status == Status.DRAFT:
        return _approval(invoice)
    if invoice.status == Status.HELD:
        return _release(invoice)
    if invoice.status == Status.APPROVED:
        try:
            offences.require_none(invoice)
        except offences.OffendedError as error:
            return Next(what=error.message, able=[], unable=[])
        return Next(what="Finance finalizes it.", able=[], unable=[])
    return None


def _approval(invoice: Invoice) -> Next:
    try:
        delta_decide.require_allowed(invoice)
    except delta_decide.DeltaOpenError as error:
        return Next(what=error.message, able=[], unable=[])
    standing, hands = approve.standing_of(invoice), approve.hands_in(invoice)
    people = [(name_of(person), hands.get(person.pk)) for person in _finance()]
    return Next(
        what=_approval_words(given=len(standing.given), needed=standing.needed),
        able=[name for name, hand in people if hand is None],
        unable=[(name, hand) for name, hand in people if hand is not None],
    )


def _approval_words(*, given: int, needed: int) -> str:
    if needed == 1:
        return "Somebody in finance approves it."
    if given == 0:
        return "It is above the amount that its policy names: two people in finance approve it."
    return f"{given} of {needed} approvals is given. Somebody else in finance has to approve it too."


def _release(invoice: Invoice) -> Next:
    hold: Any = invoice.holds.filter(released_at=None).select_related("placed_by").first()
    people = [person for person in _finance() if hold is None or person.pk != hold.placed_by_id]
    held_back = [] if hold is None or hold.placed_by is None else [(name_of(hold.placed_by), "placed the hold")]
    what = "Somebody in finance releases it, or discards it so that its period is counted afresh."
    if hold is not None and hold.cause == Hold.Cause.BREAK:
        what = "Its layers do not tie: see the breaks above, repair the events, discard the draft and close again."
    return Next(what=what, able=[name_of(person) for person in people], unable=held_back)


def _finance() -> list[User]:
    return list(User.objects.filter(is_active=True, groups__name=Role.FINANCE).order_by("username"))
