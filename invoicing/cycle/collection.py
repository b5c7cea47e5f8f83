"""Leave the money of a final invoice uncollected for a while, and collect it again; the invoice never changes."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from accounts import roles
from accounts.roles import Role
from core import audit, personal_keys
from core.errors import DomainError, InvalidInputError
from invoicing.cycle import move
from invoicing.cycle.models import CollectionHold, Invoice

KEEPERS = (Role.FINANCE, Role.OPS)


class NothingToCollectError(DomainError):
    """Only a final invoice is collected."""

    code = "nothing_to_collect"


class CollectionHeldError(DomainError):
    """The invoice is on hold for collection already, or is not."""

    code = "collection_hold"


@transaction.atomic
def hold_collection(*, invoice_id: int, reason: str, actor: Any, at: datetime) -> CollectionHold:
    """Nobody asks for the money until the hold is lifted. What is owed stays owed, and stays in the books."""
    roles.require_role(actor, *KEEPERS, to="hold the collection of an invoice")
    said = _said(reason)
    invoice = move.lock_invoice(invoice_id=invoice_id)
    said = personal_keys.tell_about(invoice.customer, said)
    if invoice.status != Invoice.Status.FINAL:
        raise NothingToCollectError(f"{invoice} is {invoice.status}; only a final invoice is collected.")
    if invoice.payable <= 0:
        raise NothingToCollectError(f"{invoice} asks for no money; there is nothing to collect.")
    if open_hold(invoice) is not None:
        raise CollectionHeldError(f"{invoice} is on hold for collection already.")
    entry = audit.append_entry(
        action="invoice.collection_held", subject=f"invoice:{invoice.pk}", actor=actor, facts={"reason": said}, at=at
    )
    return CollectionHold.objects.create(invoice=invoice, reason=said, placed_by=actor, placed_at=at, audit_entry=entry)


@transaction.atomic
def lift_collection(*, invoice_id: int, reason: str, actor: Any, at: datetime) -> CollectionHold:
    """The invoice is collected as ever."""
    roles.require_role(actor, *KEEPERS, to="lift a hold on collection")
    said = _said(reason)
    invoice = move.lock_invoice(invoice_id=invoice_id)
    said = personal_keys.tell_about(invoice.customer, said)
    found = open_hold(invoice)
    if found is None:
        raise CollectionHeldError(f"{invoice} is not on hold for collection; there is nothing to lift.")
    return _lift(found, reason=said, facts={}, actor=actor, at=at)


@transaction.atomic
def end_hold(*, hold_id: int, reason: str, facts: dict[str, Any], actor: Any, at: datetime) -> CollectionHold | None:
    """What placed this hold is over, and the hold with it; None if somebody lifted it before.

    For rooms above: no role is asked here, since whoever ended the cause was asked there. Without an actor the
    product ended it. `facts` name the cause in the audit chain.
    """
    said = _said(reason)
    hold = CollectionHold.objects.get(pk=hold_id)
    found = open_hold(move.lock_invoice(invoice_id=hold.invoice_id))
    if found is None or found.pk != hold_id:
        return None
    return _lift(found, reason=said, facts=facts, actor=actor, at=at)


def _lift(found: CollectionHold, *, reason: str, facts: dict[str, Any], actor: Any, at: datetime) -> CollectionHold:
    found.lifting_entry = audit.append_entry(
        action="invoice.collection_lifted",
        subject=f"invoice:{found.invoice_id}",
        actor=actor,
        facts={"reason": reason, **facts},
        at=at,
    )
    found.lifted_by, found.lifted_at, found.lifting_reason = actor, at, reason
    found.save(update_fields=["lifted_by", "lifted_at", "lifting_reason", "lifting_entry"])
    return found


def open_hold(invoice: Invoice) -> CollectionHold | None:
    """The hold that stands now; None where the invoice is collected."""
    return CollectionHold.objects.filter(invoice=invoice, lifted_at=None).select_related("placed_by").first()


def amounts_on_hold(customer_ids: Iterable[int]) -> dict[tuple[int, str], Decimal]:
    """What the invoices on hold for collection came to, by customer and currency; payments are not asked."""
    rows = (
        Invoice.objects.filter(customer__in=set(customer_ids), collection_holds__lifted_at=None)
        .filter(collection_holds__isnull=False)
        .order_by()
        .values_list("customer_id", "currency")
        .annotate(sum=Sum(F("total") - F("prepaid") + F("payable_rounding")))
    )
    return {(customer, currency): amount for customer, currency, amount in rows}


def _said(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise InvalidInputError("Say why.", pointer="/reason")
    return said
