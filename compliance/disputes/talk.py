"""What is said about a dispute: updates that the customer sees, remarks that they do not, and their own words."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from compliance.disputes import move
from compliance.disputes.models import Dispute, DisputeMessage
from compliance.disputes.rules import due, lifecycle
from core import personal_keys
from core.errors import InvalidInputError, NotFoundError

UPDATERS = (Role.FINANCE, Role.OPS)
WRITERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)
LENGTH_MAX = 4000
ERASED = personal_keys.NOT_KEPT
Visibility = DisputeMessage.Visibility


class MessageError(InvalidInputError):
    """The text says nothing, or too much."""

    code = "message_invalid"


def write(*, dispute_id: int, visibility: str, text: str, actor: Any, at: datetime) -> DisputeMessage:
    """Either of the two that follow, by whom it is for."""
    write_one = write_update if visibility == Visibility.CUSTOMER else write_remark
    return write_one(dispute_id=dispute_id, text=text, actor=actor, at=at)


@transaction.atomic
def write_update(*, dispute_id: int, text: str, actor: Any, at: datetime) -> DisputeMessage:
    """Tell the customer how it stands; the next update is due from now."""
    roles.require_role(actor, *UPDATERS, to="tell a customer about a dispute")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    return tell_customer(dispute, text=clean(text), actor=actor, at=at)


@transaction.atomic
def write_remark(*, dispute_id: int, text: str, actor: Any, at: datetime) -> DisputeMessage:
    """A remark for colleagues; any role but the auditor's may write, also when the dispute is closed."""
    roles.require_role(actor, *WRITERS, to="comment on disputes")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    return _keep(dispute, visibility=Visibility.INTERNAL, author=actor, text=clean(text), at=at)


@transaction.atomic
def write_as_customer(*, customer: Customer, dispute_id: int, text: str, actor: Any, at: datetime) -> DisputeMessage:
    """What a person of the customer has to say; NotFoundError for the dispute of anybody else."""
    dispute = lock_own(customer=customer, dispute_id=dispute_id)
    if dispute.status == lifecycle.CLOSED:
        raise move.WrongStepError("This dispute is closed. If there is something new, open another one.")
    return _keep(dispute, visibility=Visibility.CUSTOMER, author=actor, is_theirs=True, text=clean(text), at=at)


def tell_customer(dispute: Dispute, *, text: str, actor: Any, at: datetime) -> DisputeMessage:
    """Keep an update on a locked dispute, and move on when the next one is due."""
    if dispute.status != lifecycle.CLOSED:
        dispute.update_due_at = due.update_due(terms=dispute.policy.terms, at=at)
        dispute.save(update_fields=["update_due_at"])
    return _keep(dispute, visibility=Visibility.CUSTOMER, author=actor, text=text, at=at)


def _keep(
    dispute: Dispute, *, visibility: str, author: Any, text: str, is_theirs: bool = False, at: datetime
) -> DisputeMessage:
    return DisputeMessage.objects.create(
        dispute=dispute,
        visibility=visibility,
        author=author,
        is_from_customer=is_theirs,
        text=personal_keys.tell_about(dispute.customer, text),
        written_at=at,
    )


def lock_own(*, customer: Customer, dispute_id: int) -> Dispute:
    """The customer's own dispute, locked; that of another cannot be told from none."""
    if not Dispute.objects.filter(pk=dispute_id, customer=customer).exists():
        raise NotFoundError("There is no such dispute.")
    return move.lock_dispute(dispute_id=dispute_id)


def clean(text: str, *, pointer: str = "/text") -> str:
    """The text as it is kept: 1 to 4,000 characters, one kind of line end."""
    said = text.strip().replace("\r\n", "\n")
    if not 1 <= len(said) <= LENGTH_MAX or "\x00" in said:
        raise MessageError(f"Write 1 to {LENGTH_MAX} characters.", pointer=pointer)
    return said
