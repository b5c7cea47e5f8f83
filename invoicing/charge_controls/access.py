"""Moves a customer's access: the one mover, and what a person may do about a hold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from core import audit, money, personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.charge_controls.models import AccessChange, AccessState, ControlFiring
from invoicing.charge_controls.rules import lifecycle
from invoicing.exposure import queries as exposure_queries
from invoicing.notices import tell
from invoicing.notices.models import Audience, Channel
from invoicing.notices.tell import News
from invoicing.policy.models import TriggerPolicy

LIFTERS = (Role.FINANCE, Role.OPS)
ALLOWED, HELD = "allowed", "held"
CHANNELS = (Channel.EMAIL.value, Channel.WEBHOOK.value)


class NotHeldError(DomainError):
    """There is no hold to lift."""

    code = "access_not_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What moves a customer's access."""

    cause: str
    reason: str
    firing: ControlFiring | None = None
    policy: TriggerPolicy | None = None
    actor: Any = None


def lift_hold(*, customer_code: str, reason: str, actor: Any, at: datetime) -> AccessState:
    """Let a customer go on although the exposure may still be beyond its line; the next crossing holds again."""
    roles.require_role(actor, *LIFTERS, to="lift a hold on usage")
    if not reason.strip():
        raise InvalidInputError("Say why the hold is lifted.", pointer="/reason")
    with transaction.atomic():
        customer = Customer.objects.filter(code=customer_code).first()
        if customer is None:
            raise NotFoundError(f"There is no customer {customer_code}.")
        state = lock_state(customer)
        if state is None or state.status != HELD:
            raise NotHeldError("Usage of this customer is not on hold.")
        said = personal_keys.tell_about(customer, reason.strip())
        return move_access(customer, state, to_status=ALLOWED, why=Why(cause="person", reason=said, actor=actor), at=at)


def lock_state(customer: Customer) -> AccessState | None:
    """The state, its row held until the transaction ends; None where nothing was ever held."""
    return AccessState.objects.select_for_update().filter(customer=customer).first()


def move_access(
    customer: Customer, state: AccessState | None, *, to_status: str, why: Why, at: datetime
) -> AccessState:
    """The one mover: sets the locked state, keeps the change with the figures of now, and tells it."""
    from_status = ALLOWED if state is None else state.status
    action = lifecycle.action_of(from_status, to_status)
    revision = 1 if state is None else state.revision + 1
    if state is None:
        state = AccessState(customer=customer)
    state.status, state.revision, state.reason, state.changed_at = to_status, revision, why.reason, at
    state.save()
    change = _keep(customer, from_status=from_status, state=state, action=action, why=why, at=at)
    tell.tell(_news(change, customer, topic=action), at=at)
    return state


def _keep(
    customer: Customer, *, from_status: str, state: AccessState, action: str, why: Why, at: datetime
) -> AccessChange:
    facts = {
        "customer": customer.code,
        "cause": why.cause,
        "reason": why.reason,
        "firing": None if why.firing is None else why.firing.pk,
        "policy": None if why.policy is None else str(why.policy),
    }
    entry = audit.append_entry(action=action, subject=f"access:{customer.code}", actor=why.actor, facts=facts, at=at)
    return AccessChange.objects.create(
        customer=customer,
        revision=state.revision,
        from_status=from_status,
        to_status=state.status,
        cause=why.cause,
        reason=why.reason,
        firing=why.firing,
        policy=why.policy,
        actor=why.actor,
        figures=figures_of(customer),
        changed_at=at,
        audit_entry=entry,
    )


def figures_of(customer: Customer) -> list[dict[str, Any]]:
    """The exposures of a customer as plain values, by currency."""
    return [
        {
            "currency": row.currency,
            "unbilled": money.amount_text(row.unbilled, currency=row.currency),
            "drafted": money.amount_text(row.drafted, currency=row.currency),
            "unpaid": money.amount_text(row.unpaid, currency=row.currency),
            "total": money.amount_text(row.total, currency=row.currency),
            "as_of": row.as_of.astimezone(UTC).isoformat(),
            "watermark": row.watermark_seq,
        }
        for row in exposure_queries.exposures_of(customer)
    ]


def _news(change: AccessChange, customer: Customer, *, topic: str) -> News:
    policy = change.policy
    return News(
        key=f"access:{change.pk}",
        topic=topic,
        audience=Audience.OPS,
        channels=CHANNELS,
        customer=customer,
        title=f"{change.get_to_status_display()}: further usage of {customer.legal_name}",
        text=f"{change.reason}\n{'Lifted by ' + str(change.actor) if change.actor else 'Decided by ' + str(policy)}.",
        document={
            "customer": customer.code,
            "access": change.to_status,
            "reason": change.reason,
            "cause": change.cause,
            "revision": change.revision,
            "firing": change.firing_id,
            "policy": None if policy is None else {"program": policy.program, "version": policy.version},
            "exposures": change.figures,
            "changed_at": change.changed_at.astimezone(UTC).isoformat(),
        },
    )
