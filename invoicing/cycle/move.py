"""The one mover of invoices: nothing else sets a status."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from core import audit, bulk, history
from core.errors import DomainError, NotAllowedError, NotFoundError
from invoicing.cycle.models import Invoice, InvoiceTransition
from invoicing.cycle.rules import lifecycle

Status = Invoice.Status


class WrongStateError(DomainError):
    """The invoice's status does not allow this."""

    code = "wrong_state"


class SamePersonError(NotAllowedError):
    """Two persons are needed, and this one had a hand in it already."""

    code = "second_person_needed"


def lock_invoice(*, invoice_id: int) -> Invoice:
    """Read the invoice and hold its row until the transaction ends; every decision on it queues here."""
    invoice = Invoice.objects.select_for_update(of=("self",)).filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    return invoice


def require_move(invoice: Invoice, *, to_status: Status) -> None:
    """WrongStateError unless the table allows it; asked before any other work is done for the move."""
    if not lifecycle.is_allowed(invoice.status, to_status):
        raise WrongStateError(lifecycle.refusal(invoice.status, to_status))


def move_invoice(
    invoice: Invoice,
    *,
    to_status: Status,
    actor: AbstractBaseUser | None,
    reason: str = "",
    changes: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    at: datetime,
) -> InvoiceTransition:
    """Set the status of a locked invoice, with the changes that belong to it, and keep the move for ever."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an invoice is moved inside the transaction that locked it")
    require_move(invoice, to_status=to_status)
    transition = InvoiceTransition(
        invoice=invoice,
        revision=invoice.revision + 1,
        from_status=invoice.status,
        to_status=to_status,
        actor_id=None if actor is None else actor.pk,
        reason=reason,
        content_hash=invoice.content_hash,
        moved_at=at,
    )
    changed = {"status": to_status, "revision": invoice.revision + 1, **(changes or {})}
    for name, value in changed.items():
        setattr(invoice, name, value)
    history.save_change(invoice, fields=list(changed), actor=actor, reason=reason)
    _keep_all([transition], extra=facts or {}, actor=actor, at=at)
    return transition


def record_births(
    invoices: Sequence[Invoice], *, why_held: Mapping[int, str], actor: AbstractBaseUser | None, at: datetime
) -> None:
    """Keep the first move of new drafts, and the second of those that were held at once, with why (by invoice id).

    The chain of audit entries is locked from here to the end of the transaction: call it last.
    """
    transitions = []
    for invoice in invoices:
        steps = [("", Status.DRAFT)] + ([(Status.DRAFT, Status.HELD)] if invoice.status == Status.HELD else [])
        transitions += [
            InvoiceTransition(
                invoice=invoice,
                revision=number,
                from_status=from_status,
                to_status=to_status,
                actor_id=None if actor is None else actor.pk,
                reason=why_held[invoice.pk] if to_status == Status.HELD else "",
                content_hash=invoice.content_hash,
                moved_at=at,
            )
            for number, (from_status, to_status) in enumerate(steps)
        ]
    _keep_all(transitions, extra={}, actor=actor, at=at)


def _keep_all(
    transitions: Sequence[InvoiceTransition],
    *,
    extra: dict[str, Any],
    actor: AbstractBaseUser | None,
    at: datetime,
) -> None:
    facts = [
        audit.Fact(
            action=lifecycle.action_of(transition.from_status, transition.to_status),
            subject=f"invoice:{transition.invoice_id}",
            facts={
                "from": transition.from_status,
                "to": transition.to_status,
                "reason": transition.reason,
                "content_hash": transition.content_hash,
                **extra,
            },
        )
        for transition in transitions
    ]
    for transition, entry in zip(transitions, audit.append_entries(facts, actor=actor, at=at), strict=True):
        transition.audit_entry = entry
    bulk.insert_rows(transitions)
