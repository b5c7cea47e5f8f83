"""Who has a dispute, and whether its invoice is collected meanwhile."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes import move, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from core import audit
from core.errors import InvalidInputError
from invoicing.cycle import collection

ASSIGNERS = (Role.FINANCE, Role.OPS, Role.ENGINEERING)
COLLECTORS = collection.KEEPERS


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
    """Nobody asks for the money of the contested invoice until the hold is lifted; the invoice stays what it is."""
    dispute = move.lock_dispute(dispute_id=dispute_id)
    if dispute.status == lifecycle.CLOSED:
        raise move.WrongStepError("The dispute is closed; hold an invoice for one that is open.")
    said = talk.clean(reason, pointer="/reason")
    collection.hold_collection(
        invoice_id=dispute.invoice_id, reason=f"Dispute {dispute.pk}: {said}", actor=actor, at=at
    )
    talk.tell_customer(
        dispute, text="We do not collect this invoice while we look at your dispute.", actor=actor, at=at
    )
    return dispute


@transaction.atomic
def lift_collection(*, dispute_id: int, reason: str, actor: Any, at: datetime) -> Dispute:
    """The invoice is collected as ever; also once the dispute is closed."""
    dispute = move.lock_dispute(dispute_id=dispute_id)
    said = talk.clean(reason, pointer="/reason")
    collection.lift_collection(
        invoice_id=dispute.invoice_id, reason=f"Dispute {dispute.pk}: {said}", actor=actor, at=at
    )
    talk.tell_customer(dispute, text="This invoice is collected as usual again.", actor=actor, at=at)
    return dispute
