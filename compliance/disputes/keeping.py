"""Who has a dispute, and whether its invoice is collected meanwhile."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes import move, queries, talk
from compliance.disputes.models import Dispute, DisputeHold
from compliance.disputes.rules import lifecycle
from core import audit, personal_keys
from core.errors import InvalidInputError
from invoicing.cycle import collection
from invoicing.cycle import move as cycle_move
from invoicing.cycle.models import CollectionHold

ASSIGNERS = (Role.FINANCE, Role.OPS, Role.ENGINEERING)
COLLECTORS = collection.KEEPERS
COLLECTED_AGAIN = "This invoice is collected as usual again."


class NothingToKeepError(InvalidInputError):
    """The dispute holds no collection, or it was said before that its hold stays."""

    code = "no_hold_to_keep"


@transaction.atomic
def assign(*, dispute_id: int, username: str, actor: Any, at: datetime) -> Dispute:
    """Give it to a person who holds the role that owns its step; an empty name gives it back to the role."""
    roles.require_role(actor, *ASSIGNERS, to="assign a dispute")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    if dispute.status == lifecycle.CLOSED:
        raise move.WrongStepError("The dispute is closed; nobody has to do anything.")
    person = User.objects.filter(username=username, is_active=True).first() if username else None
    if username and (person is None or not roles.has_role(person, [Role(dispute.owner_role)])):
        raise InvalidInputError(
            f"{username[:60]} is nobody in {dispute.owner_role}, who own this step.", pointer="/owner"
        )
    dispute.owner = person
    dispute.save(update_fields=["owner"])
    facts = {"owner": username, "role": dispute.owner_role}
    audit.append_entry(action="dispute.assigned", subject=f"dispute:{dispute.pk}", actor=actor, facts=facts, at=at)
    return dispute


@transaction.atomic
def hold_collection(*, dispute_id: int, reason: str, actor: Any, at: datetime) -> Dispute:
    """Nobody asks for the money of the contested invoice until the dispute closes; the invoice stays what it is.

    Where a hold stands for another dispute, it stands for this one as well, and ends with the last of them.
    """
    dispute = move.lock_dispute(dispute_id=dispute_id)
    if dispute.status == lifecycle.CLOSED:
        raise move.WrongStepError("The dispute is closed; hold an invoice for one that is open.")
    said = talk.clean(reason, pointer="/reason")
    roles.require_role(actor, *COLLECTORS, to="hold the collection of an invoice")
    standing = collection.open_hold(cycle_move.lock_invoice(invoice_id=dispute.invoice_id))
    if standing is not None and queries.own_hold(dispute) is None:
        _join(dispute, standing, reason=said, actor=actor, at=at)
    else:
        words = f"Dispute {dispute.pk}: {said}"
        hold = collection.hold_collection(invoice_id=dispute.invoice_id, reason=words, actor=actor, at=at)
        DisputeHold.objects.create(dispute=dispute, hold=hold)
    talk.tell_customer(
        dispute, text="We do not collect this invoice while we look at your dispute.", actor=actor, at=at
    )
    return dispute


def _join(dispute: Dispute, standing: CollectionHold, *, reason: str, actor: Any, at: datetime) -> None:
    """The hold stands for this locked dispute too; its invoice is locked, so that no closing dispute lifts it now."""
    facts = {"reason": personal_keys.tell_about(dispute.customer, reason), "invoice": dispute.invoice_id}
    entry = audit.append_entry(
        action="dispute.hold_joined", subject=f"dispute:{dispute.pk}", actor=actor, facts=facts, at=at
    )
    DisputeHold.objects.create(dispute=dispute, hold=standing, joined_by=actor, joined_at=at, joined_entry=entry)


@transaction.atomic
def lift_collection(*, dispute_id: int, reason: str, actor: Any, at: datetime) -> Dispute:
    """The invoice is collected as ever, whoever asked for the hold; also once the dispute is closed."""
    dispute = move.lock_dispute(dispute_id=dispute_id)
    said = talk.clean(reason, pointer="/reason")
    collection.lift_collection(
        invoice_id=dispute.invoice_id, reason=f"Dispute {dispute.pk}: {said}", actor=actor, at=at
    )
    talk.tell_customer(dispute, text=COLLECTED_AGAIN, actor=actor, at=at)
    return dispute


def keep_hold_if_said(dispute: Dispute, *, reason: str, actor: Any, at: datetime) -> None:
    """With a reason, the hold that this locked dispute asked for stands after it closes, until it is lifted by hand."""
    if not reason.strip():
        return
    roles.require_role(actor, *COLLECTORS, to="keep a hold on collection")
    said = talk.clean(reason, pointer="/keep_hold")
    mine = queries.own_hold(dispute)
    if mine is None or mine.kept_at is not None:
        raise NothingToKeepError(
            "It is said already that the hold stays."
            if mine
            else "This dispute holds no collection that could be kept; leave it out.",
            pointer="/keep_hold",
        )
    said = personal_keys.tell_about(dispute.customer, said)
    facts = {"reason": said, "invoice": dispute.invoice_id}
    mine.kept_by, mine.kept_at, mine.kept_reason = actor, at, said
    mine.kept_entry = audit.append_entry(
        action="dispute.hold_kept", subject=f"dispute:{dispute.pk}", actor=actor, facts=facts, at=at
    )
    mine.save(update_fields=["kept_by", "kept_at", "kept_reason", "kept_entry"])


def end_own_hold(dispute: Dispute, *, outcome: str, actor: Any, at: datetime) -> bool:
    """Lift the hold that this locked dispute asked for, since it closes; whether it is lifted.

    It stays where somebody keeps it or another open dispute asks for it. Of two that close at once the invoice's lock
    lets the second see that the first is closed.
    """
    if queries.own_hold(dispute) is None:
        return False
    cycle_move.lock_invoice(invoice_id=dispute.invoice_id)
    mine = queries.own_hold(dispute)
    if mine is None or queries.stays(mine):
        return False
    reason = f"Dispute {dispute.pk} is closed: {outcome}."
    facts = {"dispute": dispute.pk, "outcome": outcome}
    ended = collection.end_hold(hold_id=mine.hold_id, reason=reason, facts=facts, actor=actor, at=at)
    return ended is not None
