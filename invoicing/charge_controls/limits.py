"""Credit limits agreed with customers: set with a reason, never changed, the latest counts."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import roles, validators
from accounts.models import Customer
from accounts.roles import Role
from core import audit, money, personal_keys
from core.errors import InvalidInputError, NotFoundError
from invoicing.charge_controls.models import CreditLimit

SETTERS = (Role.FINANCE,)
AMOUNT_MAX = Decimal("1e12")


def set_limit(
    *, customer_code: str, currency: str, amount: Decimal | None, reason: str, actor: Any, at: datetime
) -> CreditLimit:
    """Agree on a limit, or with no amount on the policy's again. It counts where the policy lets limits be agreed."""
    roles.require_role(actor, *SETTERS, to="set a credit limit")
    if not reason.strip():
        raise InvalidInputError("Say why this limit is set.", pointer="/reason")
    _require_amount(amount, currency=currency)
    with transaction.atomic():
        customer = Customer.objects.filter(code=customer_code).first()
        if customer is None:
            raise NotFoundError(f"There is no customer {customer_code}.")
        text = None if amount is None else money.amount_text(amount, currency=currency)
        said = personal_keys.tell_about(customer, reason.strip())
        facts = {"currency": currency, "amount": text, "reason": said}
        entry = audit.append_entry(
            action="credit_limit.set", subject=f"customer:{customer.code}", actor=actor, facts=facts, at=at
        )
        return CreditLimit.objects.create(
            customer=customer,
            currency=currency,
            amount=amount,
            reason=said,
            set_by=actor,
            set_at=at,
            audit_entry=entry,
        )


def limits_of(customer_ids: Iterable[int]) -> dict[tuple[int, str], Decimal]:
    """The agreed limits that count now, by customer and currency."""
    latest = (
        CreditLimit.objects.filter(customer__in=set(customer_ids))
        .order_by("customer_id", "currency", "-pk")
        .distinct("customer_id", "currency")
    )
    return {(row.customer_id, row.currency): row.amount for row in latest if row.amount is not None}


def _require_amount(amount: Decimal | None, *, currency: str) -> None:
    try:
        validators.check_currency(currency)
    except ValidationError as error:
        raise InvalidInputError(f"{currency[:10]} is no currency.", pointer="/currency") from error
    if amount is None:
        return
    if not 0 < amount <= AMOUNT_MAX:
        raise InvalidInputError("A limit is more than 0 and at most 1,000,000,000,000.", pointer="/amount")
    if amount != money.round_amount(amount, currency=currency):
        raise InvalidInputError(f"{currency} has fewer decimals.", pointer="/amount")
