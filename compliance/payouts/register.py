"""Enter a payee, with the gate checks that its program and market ask for."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from compliance.payouts import checks, queries
from compliance.payouts.models import Payee
from core import audit, history
from core.errors import DomainError, NotFoundError


class PayeeExistsError(DomainError):
    """Codes are given once."""

    code = "payee_exists"


@transaction.atomic
def register_payee(
    *,
    code: str,
    legal_name: str,
    kind: str,
    program: str,
    market: str,
    country: str,
    actor: Any,
    at: datetime,
    email: str = "",
    customer: Customer | None = None,
) -> Payee:
    """Insert the payee; its identity is fixed from here on. Nothing is paid before its gates are open."""
    roles.require_role(actor, Role.FINANCE, Role.OPS, to="enter payees")
    payee = Payee(
        code=code,
        legal_name=legal_name,
        kind=kind,
        program=program,
        market=market,
        country=country,
        email=email,
        customer=customer,
        created_by=actor,
        created_at=at,
    )
    _save(payee)
    identity = {"code": code, "legal_name": payee.sealed_name(), "kind": kind, "country": country}
    audit.append_entry(
        action="payee.registered",
        subject=f"payee:{payee.pk}",
        actor=actor,
        facts={**identity, "program": program, "market": market},
        at=at,
    )
    # Read under the audit chain's lock: of a payee and a requirement entered at once, the later sees the earlier.
    checks.open_checks(payee_ids=[payee.pk], gates=queries.gates_asked_from_now_on(payee, at=at), at=at)
    return payee


def _save(payee: Payee) -> None:
    try:
        with transaction.atomic():
            payee.save(force_insert=True)
    except IntegrityError as error:
        raise PayeeExistsError(f"The payee code {payee.code} is taken; choose another.", pointer="/code") from error


@transaction.atomic
def change_contact(*, payee_id: int, email: str, customer: Customer | None, actor: Any) -> Payee:
    """Change what does not touch the identity: the e-mail address and the customer behind it."""
    roles.require_role(actor, Role.FINANCE, Role.OPS, to="change payees")
    payee = Payee.objects.select_for_update().filter(pk=payee_id).first()
    if payee is None:
        raise NotFoundError(f"There is no payee {payee_id}.")
    payee.email, payee.customer = email, customer
    history.save_change(payee, fields=["email", "customer"], actor=actor)
    return payee
