"""Agrees with one customer on what others do not have: a number of seats, and prices kept for a time."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, money, personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.pricing import subscribe
from invoicing.pricing.models import Charge, KeptPrices, Subscription, SubscriptionPhase, SubscriptionQuantity
from invoicing.pricing.rules import fields, instants


class ChargeNotCountedError(InvalidInputError):
    """No plan of the subscription charges for it without a meter at the instant."""

    code = "charge_not_counted"


class PricesKeptError(DomainError):
    """The prices are kept already, or not any more."""

    code = "prices_kept"


def set_quantity(
    *, subscription: Subscription, charge_code: str, quantity: Decimal, effective_at: datetime, actor: Any, at: datetime
) -> SubscriptionQuantity:
    """So many from `effective_at` on, until the next; its fee is split and prorated at the instant.

    A past instant changes only periods that are not billed yet.
    """
    roles.require_role(actor, Role.FINANCE, to="agree on quantities")
    instants.check_instant(effective_at, pointer="/effective_at")
    if not 0 <= quantity <= fields.QUANTITY_MAX:
        raise InvalidInputError(f"A quantity lies between 0 and {fields.QUANTITY_MAX:f}.", pointer="/quantity")
    with transaction.atomic():
        subscribe.lock_agreements()
        phase = _phase_at(subscription, effective_at)
        if not Charge.objects.filter(plan=phase.plan_id, code=charge_code, meter=None).exists():
            detail = f"Plan {phase.plan.code} has no charge {charge_code} without a meter; meters count usage."
            raise ChargeNotCountedError(detail, pointer="/charge")
        made = SubscriptionQuantity.objects.create(
            subscription=subscription,
            charge_code=charge_code,
            quantity=quantity,
            effective_at=effective_at,
            created_by=actor,
            created_at=at,
        )
        facts = {"charge": charge_code, "quantity": money.plain(quantity), "effective_at": effective_at.isoformat()}
        _record("quantity_set", subscription, facts=facts, actor=actor, at=at)
    return made


def keep_prices(
    *, subscription: Subscription, since: datetime, until: datetime, actor: Any, at: datetime
) -> KeptPrices:
    """Let the subscription keep the terms and prices that its plan has at `since`, until the instant `until`."""
    roles.require_role(actor, Role.FINANCE, to="let a customer keep prices")
    instants.check_instant(since, pointer="/since")
    instants.check_instant(until, pointer="/until")
    if until <= since:
        raise InvalidInputError("The prices are kept from an instant until a later one.", pointer="/until")
    with transaction.atomic():
        subscribe.lock_agreements()
        phase = _phase_at(subscription, since)
        taken = subscription.kept_prices.filter(plan=phase.plan_id, starts_at__lt=until, ends_at__gt=since).first()
        if taken is not None:
            detail = f"It keeps the {taken} already. Release those first, or begin after their end."
            raise PricesKeptError(detail, pointer="/since")
        kept = KeptPrices.objects.create(
            subscription=subscription,
            plan_id=phase.plan_id,
            starts_at=since,
            ends_at=until,
            created_by=actor,
            created_at=at,
        )
        facts = {"plan": phase.plan.code, "since": since.isoformat(), "until": until.isoformat()}
        _record("prices_kept", subscription, facts=facts, actor=actor, at=at)
    return kept


def release_prices(
    *, subscription: Subscription, kept_id: int, ends_at: datetime, reason: str, actor: Any, at: datetime
) -> KeptPrices:
    """Let kept prices end earlier than agreed, and say why; an end that has come stays.

    From the new end on, which lies in what is still open of them, the prices then in force count.
    """
    roles.require_role(actor, Role.FINANCE, to="release kept prices")
    instants.check_instant(ends_at, pointer="/until")
    if not reason.strip():
        raise InvalidInputError("Say why the prices are released.", pointer="/reason")
    with transaction.atomic():
        subscribe.lock_agreements()
        kept = _lock_kept(subscription, kept_id)
        if kept.ends_at <= at:
            raise PricesKeptError(f"They ended at {kept.ends_at:%Y-%m-%d %H:%M} UTC already.", pointer="/until")
        if not (at <= ends_at < kept.ends_at and kept.starts_at < ends_at):
            detail = f"They are kept until {kept.ends_at:%Y-%m-%d %H:%M} UTC: the new end lies ahead, before that."
            raise PricesKeptError(detail, pointer="/until")
        said = personal_keys.tell_about(kept.subscription.customer, reason)
        facts = {"plan": kept.plan.code, "from": kept.ends_at.isoformat(), "ends_at": ends_at.isoformat()}
        kept.ends_at, kept.released_because = ends_at, said
        kept.save(update_fields=["ends_at", "released_because"])
        _record("kept_prices_released", kept.subscription, facts={**facts, "reason": said}, actor=actor, at=at)
    return kept


def _lock_kept(subscription: Subscription, kept_id: int) -> KeptPrices:
    found = KeptPrices.objects.select_for_update().filter(pk=kept_id, subscription=subscription).first()
    if found is None:
        raise NotFoundError(f"Subscription {subscription.pk} keeps no prices {kept_id}.")
    return found


def _phase_at(subscription: Subscription, instant: datetime) -> SubscriptionPhase:
    phase = subscription.phases.filter(starts_at__lte=instant).select_related("plan").order_by("starts_at").last()
    if phase is None or (phase.ends_at is not None and phase.ends_at <= instant):
        detail = f"The subscription is not running at {instant:%Y-%m-%d %H:%M} UTC."
        raise subscribe.NotInForceError(detail, pointer="/effective_at")
    return phase


def _record(action: str, subscription: Subscription, *, facts: dict[str, str], actor: Any, at: datetime) -> None:
    audit.append_entry(action=action, subject=f"subscription:{subscription.pk}", actor=actor, facts=facts, at=at)
