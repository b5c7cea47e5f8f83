"""Enter what is owed to a payee, or withdraw it before it is paid."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts.models import Payable, Payee
from core import audit, history, money, personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError


class PayableExistsError(DomainError):
    """The same debt entered twice would be paid twice."""

    code = "payable_exists"


class PayableSettledError(DomainError):
    """What is paid or withdrawn stays so."""

    code = "payable_settled"


@transaction.atomic
def record_payable(
    *, payee: Payee, reference: str, amount: Decimal, currency: str, actor: Any, at: datetime
) -> Payable:
    """Insert the debt; a reference is owed once for each payee, however often it is sent."""
    roles.require_role(actor, Role.FINANCE, to="enter payables")
    _require_amount(amount, currency=currency)
    payable = Payable(
        payee=payee, reference=reference, amount=amount, currency=currency, created_by=actor, created_at=at
    )
    _save(payable)
    audit.append_entry(
        action="payable.recorded",
        subject=f"payable:{payable.pk}",
        actor=actor,
        facts={
            "payee": payee.code,
            "reference": reference,
            "amount": money.amount_text(amount, currency=currency),
            "currency": currency,
        },
        at=at,
    )
    return payable


def _require_amount(amount: Decimal, *, currency: str) -> None:
    exact = amount.is_finite() and 0 < amount <= money.AMOUNT_MAX
    if not exact or money.round_amount(amount, currency=currency) != amount:
        decimals = money.currency_exponent(currency)
        raise InvalidInputError(
            f"The amount must be more than 0, and {currency} has {decimals} decimals.", pointer="/amount"
        )


def _save(payable: Payable) -> None:
    try:
        with transaction.atomic():
            payable.save(force_insert=True)
    except IntegrityError as error:
        raise PayableExistsError(
            f"{payable.payee.code} is owed {payable.reference} already; nothing was entered twice.",
            pointer="/reference",
        ) from error


@transaction.atomic
def withdraw_payable(*, payable_id: int, reason: str, actor: Any, at: datetime) -> Payable:
    """Take back a debt that is not paid; it is never released, whichever batch it stands in."""
    roles.require_role(actor, Role.FINANCE, to="withdraw payables")
    if not reason.strip():
        raise InvalidInputError("Say why it is withdrawn.", pointer="/reason")
    payable = Payable.objects.select_for_update().filter(pk=payable_id).first()
    if payable is None:
        raise NotFoundError(f"There is no payable {payable_id}.")
    if payable.withdrawn_at is not None or hasattr(payable, "payout"):
        raise PayableSettledError("It is paid or withdrawn already; enter a new payable for what is still owed.")
    payable.withdrawn_at, payable.withdrawn_by = at, actor
    payable.withdrawal_reason = personal_keys.tell_about(payable.payee, reason.strip())
    fields = ["withdrawn_at", "withdrawn_by", "withdrawal_reason"]
    history.save_change(payable, fields=fields, actor=actor, reason=payable.withdrawal_reason)
    audit.append_entry(
        action="payable.withdrawn",
        subject=f"payable:{payable.pk}",
        actor=actor,
        facts={"reference": payable.reference, "reason": payable.withdrawal_reason},
        at=at,
    )
    return payable
