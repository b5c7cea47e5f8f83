"""Payments as plain values, for the invoice that they are for and for this room's own doors."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core import money
from invoicing.cycle.models import Invoice
from invoicing.cycle.settlement import Settlement
from invoicing.payments import queries
from invoicing.payments.models import Payment, PaymentTransition, RefundRequest

FIGURES = ("amount", "received", "refunded", "contested", "lost")


def read_settlements(invoices: Sequence[Invoice]) -> Mapping[int, Settlement]:
    """Of the issued ones: what is due, and what was paid."""
    issued = [one for one in invoices if one.status == Invoice.Status.FINAL]
    dues = queries.dues_of(customer_ids={one.customer_id for one in issued}) if issued else {}
    payments = queries.payments_of([one.pk for one in issued])
    return {
        one.pk: Settlement(
            amount_due=dues[one.pk].due,
            credited=dues[one.pk].credited,
            set_off=dues[one.pk].set_off,
            payments=[payment_json(payment) for payment in payments.get(one.pk, [])],
        )
        for one in issued
    }


def payment_json(payment: Payment) -> dict[str, Any]:
    """A payment with all its steps; read it through `queries.whole_payments`."""
    currency = payment.currency
    return {
        "id": payment.pk,
        "invoice": payment.invoice.number,
        "customer": payment.invoice.customer.code,
        "status": payment.status,
        "currency": currency,
        **{name: money.amount_text(getattr(payment, name), currency=currency) for name in FIGURES},
        "method": payment.method,
        "reference": str(payment.reference),
        "gateway": payment.gateway or None,
        "gateway_id": payment.gateway_id or None,
        "objects": [{"kind": one.kind, "id": one.external_id} for one in payment.objects_known.all()],
        "created_by": name_of(payment.created_by),
        "created_at": instant(payment.created_at),
        "transitions": [transition_json(one, currency=currency) for one in payment.transitions.all()],
        "refund_requests": [refund_json(one, currency=currency) for one in payment.refund_requests.all()],
    }


def transition_json(move: PaymentTransition, *, currency: str) -> dict[str, Any]:
    overpaid = getattr(move, "overpayment", None)
    return {
        "revision": move.revision,
        "step": move.step,
        "from_status": move.from_status,
        "to_status": move.to_status,
        "amount": money.amount_text(move.amount, currency=currency),
        "fee": money.amount_text(move.fee, currency=currency),
        "overpaid": None if overpaid is None else money.amount_text(overpaid.amount, currency=currency),
        "happened_at": instant(move.happened_at),
        "recorded_at": instant(move.recorded_at),
        "actor": name_of(move.actor),
        "event": move.event and move.event.event_id,
        "reason": str(move.reason),
        "journal_entry": move.entry and move.entry.key,
        "audit_reference": move.audit_entry.reference,
    }


def refund_json(request: RefundRequest, *, currency: str) -> dict[str, Any]:
    return {
        "id": request.pk,
        "amount": money.amount_text(request.amount, currency=currency),
        "fee": money.amount_text(request.fee, currency=currency),
        "happened_at": instant(request.happened_at),
        "reason": str(request.reason),
        "asked_by": name_of(request.asked_by),
        "asked_at": instant(request.asked_at),
        "decision": request.decision or None,
        "decided_by": name_of(request.decided_by),
        "decided_at": instant(request.decided_at),
    }


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, as all instants of the API."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def name_of(person: Any) -> str | None:
    return None if person is None else person.get_username()
