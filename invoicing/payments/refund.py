"""Record money that went back; above the amount of the policy a colleague confirms it first."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, money
from core.errors import DomainError, NotAllowedError, NotFoundError
from invoicing.cycle import approve
from invoicing.payments import move, record
from invoicing.payments.models import Payment, RefundRequest
from invoicing.payments.rules.lifecycle import Step
from invoicing.payments.taken import Taken


class OwnRefundError(NotAllowedError):
    """Two persons are needed, and this one asked."""

    code = "four_eyes"


class RefundDecidedError(DomainError):
    """It was confirmed or withdrawn already, or one waits."""

    code = "refund_decided"


@transaction.atomic
def refund_payment(
    *,
    payment_id: int,
    amount: Decimal | None = None,
    fee: Decimal = move.NOTHING,
    happened_at: datetime,
    reason: str,
    actor: Any,
    at: datetime,
) -> RefundRequest | None:
    """Record a refund in full or in part; a request, and nothing booked, where a second person has to confirm it.

    The invoice's policy says above which amount that is, as it does for approving the invoice.
    """
    roles.require_role(actor, Role.FINANCE, to="record refunds")
    payment = move.lock_payment(payment_id=payment_id)
    record.require_by_hand(payment)
    about = record.all_of(payment, Step.REFUNDED) if amount is None else amount
    taken = Taken(
        step=Step.REFUNDED,
        amount=about,
        fee=fee,
        happened_at=happened_at,
        by=actor,
        reason=record.said_of(payment, reason),
    )
    move.require_step(payment, taken)
    if payment.refund_requests.filter(decision="").exists():
        raise RefundDecidedError(
            "A refund of this payment waits for a colleague; have it confirmed or withdrawn first."
        )
    if approve.needed_by(payment.invoice.policy, total=about, currency=payment.currency) > 1:
        return _ask(payment, taken, at=at)
    move.move_payment(payment, taken=taken, at=at)
    return None


def _ask(payment: Payment, taken: Taken, *, at: datetime) -> RefundRequest:
    facts = {
        "amount": money.amount_text(taken.amount, currency=payment.currency),
        "currency": payment.currency,
        "invoice": payment.invoice_id,
        "reason": taken.reason,
    }
    entry = audit.append_entry(
        action="payment.refund_asked", subject=f"payment:{payment.pk}", actor=taken.by, facts=facts, at=at
    )
    return RefundRequest.objects.create(
        payment=payment,
        amount=taken.amount,
        fee=taken.fee,
        happened_at=taken.happened_at,
        reason=taken.reason,
        asked_by=taken.by,
        asked_at=at,
        asking_entry=entry,
    )


@transaction.atomic
def confirm_refund(*, request_id: int, actor: Any, at: datetime) -> Payment:
    """A colleague of whoever asked says that it is right: now it is booked."""
    roles.require_role(actor, Role.FINANCE, to="confirm refunds")
    payment, request = _lock(request_id)
    if request.asked_by_id == actor.pk:
        raise OwnRefundError("You asked for this refund, so a colleague in finance confirms it.")
    taken = Taken(
        step=Step.REFUNDED,
        amount=request.amount,
        fee=request.fee,
        happened_at=request.happened_at,
        by=actor,
        reason=request.reason,
    )
    request.transition = move.move_payment(payment, taken=taken, at=at)
    _decide(request, "confirmed", actor=actor, at=at)
    return payment


@transaction.atomic
def withdraw_refund(*, request_id: int, actor: Any, at: datetime) -> Payment:
    """It is not refunded after all; whoever asked may say so too."""
    roles.require_role(actor, Role.FINANCE, to="withdraw refunds")
    payment, request = _lock(request_id)
    audit.append_entry(
        action="payment.refund_withdrawn",
        subject=f"payment:{payment.pk}",
        actor=actor,
        facts={"asked": request.asking_entry.reference},
        at=at,
    )
    _decide(request, "withdrawn", actor=actor, at=at)
    return payment


def _lock(request_id: int) -> tuple[Payment, RefundRequest]:
    found = RefundRequest.objects.filter(pk=request_id).values_list("payment_id", flat=True).first()
    if found is None:
        raise NotFoundError(f"There is no refund {request_id}.")
    payment = move.lock_payment(payment_id=found)
    request = RefundRequest.objects.select_for_update().get(pk=request_id)
    if request.decision:
        raise RefundDecidedError(f"It was {request.decision} already.")
    return payment, request


def _decide(request: RefundRequest, decision: str, *, actor: Any, at: datetime) -> None:
    request.decision, request.decided_by, request.decided_at = decision, actor, at
    request.save(update_fields=["decision", "decided_by", "decided_at", "transition"])
