"""A person in finance approves the figures that stand there, and no others."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core.errors import DomainError
from invoicing.cycle import content, move
from invoicing.cycle.models import Break, Invoice, InvoiceTransition


class ContentChangedError(DomainError):
    """The figures are not those that were looked at."""

    code = "content_changed"


@transaction.atomic
def approve_invoice(*, invoice_id: int, content_hash: str, actor: Any, at: datetime) -> Invoice:
    """Approve a draft by the hash of its content; refused to anyone who drafted it or decided on its figures."""
    roles.require_role(actor, Role.FINANCE, to="approve invoices")
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Invoice.Status.APPROVED)
    _require_second_person(invoice, actor=actor)
    if content_hash != invoice.content_hash:
        raise ContentChangedError(
            f"This invoice now reads {invoice.content_hash}; look at it again and approve that.",
            pointer="/content_hash",
        )
    require_unchanged(invoice)
    decision = {"approved_by_id": actor.pk, "approved_at": at, "approved_hash": content_hash}
    move.move_invoice(invoice, to_status=Invoice.Status.APPROVED, actor=actor, changes=decision, at=at)
    return invoice


def require_unchanged(invoice: Invoice) -> None:
    """ContentChangedError unless the rows still say what was hashed when the invoice was drafted."""
    if content.hash_of_rows(invoice) != invoice.content_hash:
        raise ContentChangedError(
            "The rows of this invoice no longer say what was drafted. Do not issue it: discard it, close the period"
            " again, and find out who changed the database."
        )


def _require_second_person(invoice: Invoice, *, actor: AbstractBaseUser) -> None:
    if invoice.drafted_by_id == actor.pk:
        raise move.SamePersonError("You drafted this invoice; a colleague in finance has to approve it.")
    if InvoiceTransition.objects.filter(
        invoice__cycle_id=invoice.cycle_id, to_status=Invoice.Status.DISCARDED, actor_id=actor.pk
    ).exists():
        raise move.SamePersonError(
            "You had the earlier draft of this period discarded, so these figures come of your decision; a colleague"
            " in finance has to approve them."
        )
    if Break.objects.filter(invoice=invoice, closed_by_id=actor.pk).exists():
        raise move.SamePersonError("You accepted a break on this invoice; a colleague in finance has to approve it.")
