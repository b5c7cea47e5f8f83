"""What was paid for an invoice, as rows of a pack: each payment with its steps, and what is still due."""

from typing import Any

from django.db.models import Q

from compliance.evidence.pack import wording
from invoicing.cycle.models import Invoice
from invoicing.payments import queries
from invoicing.payments.models import Payment, PaymentTransition

FIGURES = ("amount", "received", "refunded", "contested", "lost")


def payments_of(invoice: Invoice) -> list[dict[str, Any]]:
    """In the order in which they were recorded."""
    return [_payment(each) for each in queries.payments_of([invoice.pk]).get(invoice.pk, [])]


def standing_of(invoice: Invoice) -> dict[str, str | None] | None:
    """What became of what was asked: paid, credited, set off or still due; None until the invoice is issued."""
    if invoice.status != Invoice.Status.FINAL:
        return None
    due = queries.due_of(invoice)
    names = ("asked", "paid", "credited", "set_off", "due", "in_favour")
    return {name: wording.figure(getattr(due, name)) for name in names}


def subjects_of(invoice: Invoice) -> set[str]:
    """What the audit chain calls these payments."""
    return {f"payment:{pk}" for pk in Payment.objects.filter(invoice=invoice).values_list("pk", flat=True)}


def entries_of(invoice: Invoice) -> Q:
    """Which journal entries are of these payments: those of their steps, and what was set off with them."""
    found = Q(pk__in=[])
    for subject in subjects_of(invoice):
        found |= Q(key__startswith=f"{subject}:")
    return found


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.pk,
        "currency": payment.currency,
        "status": payment.status,
        **{name: wording.figure(getattr(payment, name)) for name in FIGURES},
        "method": payment.method,
        **wording.said("reference", payment.reference),
        "gateway": payment.gateway,
        "gateway_id": payment.gateway_id,
        "transitions": [_step(each) for each in payment.transitions.all()],
    }


def _step(move: PaymentTransition) -> dict[str, Any]:
    """By the number of who recorded it; what a gateway told has its event instead."""
    too_much = getattr(move, "overpayment", None)
    return {
        "revision": move.revision,
        "step": move.step,
        "from": move.from_status,
        "to": move.to_status,
        "amount": wording.figure(move.amount),
        "fee": wording.figure(move.fee),
        "overpaid": "0" if too_much is None else wording.figure(too_much.amount),
        "happened_at": wording.instant(move.happened_at),
        "actor": move.actor_id,
        "at": wording.instant(move.recorded_at),
        "event": move.event and move.event.event_id,
        **wording.said("reason", move.reason),
        "journal_entry": move.entry and move.entry.key,
        "audit_reference": move.audit_entry.reference,
    }
