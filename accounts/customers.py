"""Customers: made, changed with their history, never deleted."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Customer
from core import history, personal_keys
from core.errors import NotFoundError


class UnknownCustomerError(NotFoundError):
    """No customer has this code."""


def create_customer(*, values: Mapping[str, Any], actor: Any) -> Customer:
    """Make a customer from checked values."""
    customer = Customer(**values)
    customer.full_clean()
    history.save_new(customer, actor=actor)
    return customer


def get_customer(*, code: str, rows: QuerySet[Customer] | None = None) -> Customer:
    """The customer with this code; UnknownCustomerError where there is none."""
    customer = (Customer.objects.all() if rows is None else rows).filter(code=code).first()
    if customer is None:
        raise UnknownCustomerError(f"There is no customer {code[:60]}.")
    return customer


def change_customer(*, code: str, changes: Mapping[str, Any], actor: Any) -> Customer:
    """Change the named fields. Plans keep their currency and subscriptions their zone, so neither is fixed here."""
    with transaction.atomic():
        customer = get_customer(code=code, rows=Customer.objects.select_for_update())
        personal_keys.refuse_erased(customer.personal_key_id)
        changed = {name: value for name, value in changes.items() if getattr(customer, name) != value}
        for name, value in changed.items():
            setattr(customer, name, value)
        customer.full_clean()
        if changed:
            history.save_change(customer, fields=[*sorted(changed), "name_marks", "personal_key"], actor=actor)
    return customer
