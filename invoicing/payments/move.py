"""The one mover of payments: nothing else sets a status, and no step is taken without its entry in the books."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import Customer
from core import audit, locks, money
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.cycle import move as cycle_move
from invoicing.payments import book
from invoicing.payments.book import NOT_BOOKED, Booked
from invoicing.payments.models import GatewayEvent, Overpayment, Payment, PaymentTransition
from invoicing.payments.rules import lifecycle
from invoicing.payments.rules.lifecycle import Step
from invoicing.payments.taken import Taken

NOTHING = Decimal(0)
MOVED = ("status", "revision", "received", "refunded", "contested", "lost")


class WrongStepError(DomainError):
    """Where the payment stands does not allow this."""

    code = "wrong_state"


def lock_payment(*, payment_id: int) -> Payment:
    """Hold the invoice, then the payment, until the transaction ends."""
    invoice_id = Payment.objects.filter(pk=payment_id).values_list("invoice_id", flat=True).first()
    if invoice_id is None:
        raise NotFoundError(f"There is no payment {payment_id}.")
    invoice = cycle_move.lock_invoice(invoice_id=invoice_id)
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    payment.invoice = invoice
    return payment


@transaction.atomic
def move_payment(payment: Payment, *, taken: Taken, at: datetime) -> PaymentTransition:
    """Take a step of a locked payment: books, audit chain, log and status in one transaction."""
    if taken.happened_at > at:
        raise InvalidInputError("This lies ahead; record it once it has happened.", pointer="/happened_at")
    require_step(payment, taken)
    begun = payment.status
    # In the order in which an invoice that becomes final takes them.
    locks.lock_exclusive(locks.LockClass.AUDIT)
    Customer.objects.select_for_update(no_key=True).get(pk=payment.invoice.customer_id)
    booked = book.book_step(payment, taken, revision=payment.revision + 1, at=at)
    _stand(payment, taken)
    return keep_transition(payment, taken, from_status=begun, booked=booked, at=at)


def require_step(payment: Payment, taken: Taken) -> None:
    """WrongStepError unless the table allows it, InvalidInputError for an amount that cannot be."""
    step = taken.step
    if not lifecycle.is_allowed(payment.status, step):
        raise WrongStepError(lifecycle.refusal(payment.status, step))
    most = {
        Step.FAILED: NOTHING,
        Step.SETTLED: payment.amount,
        Step.REFUNDED: payment.kept - payment.contested - payment.lost,
        Step.DISPUTED: payment.kept,
        Step.WON: payment.contested,
        Step.LOST: payment.contested,
    }[step]
    is_about_money = step != Step.FAILED
    if is_about_money and most == 0:
        raise WrongStepError(lifecycle.refusal(payment.status, step))
    least = payment.contested if step in (Step.WON, Step.LOST) else NOTHING
    if not least <= taken.amount <= most or (is_about_money and taken.amount == 0):
        asked = money.amount_text(most, currency=payment.currency)
        raise InvalidInputError(f"The amount is above 0 and at most {asked} {payment.currency}.", pointer="/amount")
    _require_exact(taken, currency=payment.currency)


def _require_exact(taken: Taken, *, currency: str) -> None:
    for name, amount in (("amount", taken.amount), ("fee", taken.fee)):
        if not amount.is_finite() or money.round_amount(amount, currency=currency) != amount:
            decimals = money.currency_exponent(currency)
            raise InvalidInputError(f"{currency} has {decimals} decimals.", pointer=f"/{name}")
    if (taken.fee < 0 and taken.step != Step.WON) or abs(taken.fee) > money.AMOUNT_MAX:
        raise InvalidInputError("A fee is not below 0, unless a dispute was won.", pointer="/fee")
    if taken.step == Step.FAILED and taken.fee:
        raise InvalidInputError("What failed has no fee here.", pointer="/fee")


def _facts(payment: Payment, taken: Taken, booked: Booked) -> dict[str, Any]:
    """What the audit chain is told of a step."""
    figures = {"amount": taken.amount, "fee": taken.fee, "overpaid": booked.overpaid}
    return {
        "to": str(payment.status),
        "step": str(taken.step),
        "invoice": payment.invoice_id,
        **{name: money.amount_text(figure, currency=payment.currency) for name, figure in figures.items()},
        "currency": payment.currency,
        "happened_at": taken.happened_at.isoformat(),
        "reason": taken.reason,
        "journal_entry": None if booked.entry is None else booked.entry.key,
        **(_begun(payment) if taken.step == Step.RECORDED else {}),
    }


def _begun(payment: Payment) -> dict[str, Any]:
    """What a payment is, said once, with its first step."""
    return {
        "payment": {
            "amount": money.amount_text(payment.amount, currency=payment.currency),
            "method": str(payment.method),
            "reference": payment.reference,
            "gateway": str(payment.gateway),
            "gateway_id": payment.gateway_id,
        }
    }


def _stand(payment: Payment, taken: Taken) -> None:
    """Set the figures and the status that the step leads to."""
    begun = payment.status
    if taken.step == Step.SETTLED:
        payment.received = taken.amount
    elif taken.step == Step.REFUNDED:
        payment.refunded += taken.amount
    elif taken.step == Step.DISPUTED:
        payment.contested = taken.amount
    elif taken.step in (Step.WON, Step.LOST):
        payment.contested = NOTHING
        payment.lost = taken.amount if taken.step == Step.LOST else NOTHING
    payment.status = lifecycle.leads_to(begun, taken.step, is_all_refunded=payment.refunded == payment.received)
    payment.revision += 1
    payment.save(update_fields=MOVED)


def keep_transition(
    payment: Payment,
    taken: Taken,
    *,
    from_status: str,
    booked: Booked = NOT_BOOKED,
    at: datetime,
) -> PaymentTransition:
    """The step that led to where the payment stands, in its log and in the audit chain."""
    event = taken.by if isinstance(taken.by, GatewayEvent) else None
    actor = taken.by if event is None else None
    told = audit.append_entry(
        action=f"payment.{taken.step}",
        subject=f"payment:{payment.pk}",
        actor=actor,
        facts={"from": from_status, "event": event and event.event_id, **_facts(payment, taken, booked)},
        at=at,
    )
    kept = PaymentTransition.objects.create(
        payment=payment,
        revision=payment.revision,
        step=taken.step,
        from_status=from_status,
        to_status=payment.status,
        amount=taken.amount,
        fee=taken.fee,
        happened_at=taken.happened_at,
        recorded_at=at,
        actor=actor,
        event=event,
        reason=taken.reason,
        entry=booked.entry,
        audit_entry=told,
    )
    if booked.overpaid:
        Overpayment.objects.create(transition=kept, amount=booked.overpaid)
    return kept
