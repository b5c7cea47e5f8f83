"""Record what a person knows of a payment: that it came in, failed, or was charged back."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from core import money, personal_keys, sealing
from core.errors import DomainError, InvalidInputError, NotFoundError
from core.told import Told
from invoicing.cycle import move as cycle_move
from invoicing.cycle.models import DocumentType, Invoice
from invoicing.payments import move
from invoicing.payments.models import Payment
from invoicing.payments.rules.lifecycle import Step
from invoicing.payments.taken import Taken

BY_PEOPLE = (Step.SETTLED, Step.FAILED, Step.DISPUTED, Step.WON, Step.LOST)  # refunds have a stage of their own


class NothingToPayError(DomainError):
    """Only a final invoice is paid."""

    code = "nothing_to_pay"


class PaymentExistsError(DomainError):
    """The same money recorded twice would be booked twice."""

    code = "payment_exists"


class NotByHandError(DomainError):
    """What a gateway tells is not recorded by a person as well."""

    code = "gateway_payment"


@transaction.atomic
def record_payment(
    *,
    invoice: str,
    amount: Decimal,
    currency: str,
    method: str,
    reference: str,
    fee: Decimal = move.NOTHING,
    received_at: datetime | None,
    actor: Any,
    at: datetime,
) -> Payment:
    """Record money for the final invoice with this number; without `received_at` it is on its way.

    A reference is recorded once per invoice, however often it is sent.
    """
    roles.require_role(actor, Role.FINANCE, to="record payments")
    said = reference.strip()
    if not said:
        raise InvalidInputError("Say how the statement names it.", pointer="/reference")
    found = find_invoice(number=invoice)
    require_payable(found, currency=currency)
    _require_amount(amount, currency=currency)
    payment = Payment(
        invoice=found,
        amount=amount,
        currency=currency,
        method=method,
        reference=personal_keys.tell_about(found.customer, said),
        reference_mark=sealing.mark_of(" ".join(said.casefold().split())),
        created_by=actor,
        created_at=at,
    )
    begin_payment(payment, happened_at=received_at or at, by=actor, at=at)
    if received_at is not None:
        settled = Taken(step=Step.SETTLED, amount=amount, fee=fee, happened_at=received_at, by=actor)
        move.move_payment(payment, taken=settled, at=at)
    return payment


def begin_payment(payment: Payment, *, happened_at: datetime, by: Any, at: datetime) -> None:
    """Insert a payment of a locked invoice, pending, with its first step."""
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as error:
        if "payments_payment_reference_once" not in str(error):
            raise
        raise PaymentExistsError(
            f"{payment.invoice} has a payment with this reference already; nothing was recorded twice.",
            pointer="/reference",
        ) from error
    begun = Taken(step=Step.RECORDED, happened_at=min(happened_at, at), by=by)
    move.keep_transition(payment, begun, from_status="", at=at)


@transaction.atomic
def record_step(
    *,
    payment_id: int,
    step: Step,
    amount: Decimal | None = None,
    fee: Decimal = move.NOTHING,
    happened_at: datetime,
    reason: str,
    actor: Any,
    at: datetime,
) -> Payment:
    """Record what became of a payment that a person recorded; without an amount, all of what the step can be about."""
    roles.require_role(actor, Role.FINANCE, to="record what became of payments")
    if step not in BY_PEOPLE:
        raise InvalidInputError("A refund is recorded as one.", pointer="/step")
    payment = move.lock_payment(payment_id=payment_id)
    require_by_hand(payment)
    about = all_of(payment, step) if amount is None else amount
    taken = Taken(step=step, amount=about, fee=fee, happened_at=happened_at, by=actor, reason=said_of(payment, reason))
    move.move_payment(payment, taken=taken, at=at)
    return payment


def all_of(payment: Payment, step: Step) -> Decimal:
    """How much the step is about, where all of it is meant."""
    if step == Step.SETTLED:
        return payment.amount
    if step in (Step.WON, Step.LOST):
        return payment.contested
    return move.NOTHING if step == Step.FAILED else payment.kept - payment.contested - payment.lost


def said_of(payment: Payment, reason: str) -> Told:
    """The reason under the customer's key; InvalidInputError where none is given."""
    said = reason.strip()
    if not said:
        raise InvalidInputError("Say why.", pointer="/reason")
    return personal_keys.tell_about(payment.invoice.customer, said)


def require_by_hand(payment: Payment) -> None:
    """NotByHandError for what a gateway told: it tells the rest too, and money would be booked twice."""
    if payment.gateway:
        raise NotByHandError(
            f"{payment} is kept by {payment.get_gateway_display()}; do it there, and it is recorded here as it is told."
        )


def find_invoice(*, number: str) -> Invoice:
    """The locked invoice with this number."""
    pk = Invoice.objects.filter(number=number).values_list("pk", flat=True).first()
    if pk is None:
        raise NotFoundError(f"There is no invoice {number[:60]}.", pointer="/invoice")
    return cycle_move.lock_invoice(invoice_id=pk)


def require_payable(invoice: Invoice, *, currency: str) -> None:
    """NothingToPayError unless it asks for money, InvalidInputError for another currency than its own."""
    if invoice.status != Invoice.Status.FINAL or invoice.document_type != DocumentType.INVOICE:
        raise NothingToPayError(f"{invoice} is no final invoice; only one is paid.", pointer="/invoice")
    if currency != invoice.currency:
        raise InvalidInputError(f"{invoice} is in {invoice.currency}; it is paid in that.", pointer="/currency")


def _require_amount(amount: Decimal, *, currency: str) -> None:
    is_usable = amount.is_finite() and 0 < amount <= money.AMOUNT_MAX
    if not is_usable or money.round_amount(amount, currency=currency) != amount:
        decimals = money.currency_exponent(currency)
        raise InvalidInputError(
            f"The amount must be more than 0, and {currency} has {decimals} decimals.", pointer="/amount"
        )
