"""Puts customers on plans: start, change of plan, end. Periods billed already keep what they were billed by."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import Customer
from core import audit, locks, periods
from core.errors import DomainError, InvalidInputError
from invoicing.pricing.models import Charge, Plan, ProposalStatus, Subscription, SubscriptionPhase
from invoicing.pricing.rules import instants
from metering.models import Meter


class MeterPricedTwiceError(DomainError):
    """Two subscriptions of one customer would price the same usage."""

    code = "meter_priced_twice"


class PlanMismatchError(InvalidInputError):
    """The plan bills in another currency or at another interval."""

    code = "plan_mismatch"


class PlanNotApprovedError(DomainError):
    """No approved version of the plan is in force at the instant."""

    code = "plan_not_approved"


class NotInForceError(DomainError):
    """The subscription is not running, or already changing, at the instant of the change."""

    code = "not_in_force"


def start_subscription(
    *, customer: Customer, plan: Plan, starts_at: datetime, actor: Any, at: datetime, anchor_date: date | None = None
) -> Subscription:
    """Put a customer on a plan; periods count from `anchor_date`, or from the local day on which it starts."""
    instants.check_instant(starts_at, pointer="/starts_at")
    anchor = anchor_date or periods.local_date(starts_at, zone=customer.time_zone)
    if not instants.EARLIEST.date() <= anchor <= instants.LATEST.date():
        raise instants.InstantError(f"{anchor} is not between the years 2000 and 2200.", pointer="/anchor_date")
    if plan.currency != customer.currency:
        detail = f"Plan {plan.code} is in {plan.currency}, customer {customer.code} pays in {customer.currency}."
        raise PlanMismatchError(f"{detail} Choose a plan in {customer.currency}.", pointer="/plan")
    with transaction.atomic():
        lock_agreements()
        _check_approved(plan, instant=starts_at)
        meters = _meters_of(plan)
        _refuse_meters_priced_elsewhere(customer_id=customer.pk, meters=meters, starts_at=starts_at, ends_at=None)
        subscription = Subscription.objects.create(
            customer=customer, anchor_date=anchor, time_zone=customer.time_zone, starts_at=starts_at, created_at=at
        )
        _add_phase(subscription, plan=plan, starts_at=starts_at, actor=actor, at=at)
        facts = {"customer": customer.code, "plan": plan.code, "starts_at": starts_at.isoformat()}
        _record("subscription_started", subscription, facts=facts, actor=actor, at=at)
    return subscription


def change_plan(
    *, subscription: Subscription, plan: Plan, effective_at: datetime, actor: Any, at: datetime
) -> SubscriptionPhase:
    """Move to another plan of the same currency and interval; usage exactly on the instant is the new plan's."""
    instants.check_instant(effective_at, pointer="/effective_at")
    with transaction.atomic():
        lock_agreements()
        subscription = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
        phase = _last_phase(subscription, before=effective_at)
        _check_change(phase, to=plan)
        _check_approved(plan, instant=effective_at)
        _refuse_meters_priced_elsewhere(
            customer_id=subscription.customer_id,
            meters=_meters_of(plan),
            starts_at=effective_at,
            ends_at=subscription.ends_at,
            besides=subscription,
        )
        phase.ends_at = effective_at
        phase.save(update_fields=["ends_at"])
        facts = {"plan": plan.code, "effective_at": effective_at.isoformat()}
        _record("plan_changed", subscription, facts=facts, actor=actor, at=at)
        return _add_phase(subscription, plan=plan, starts_at=effective_at, actor=actor, at=at)


def end_subscription(*, subscription: Subscription, ends_at: datetime, actor: Any, at: datetime) -> Subscription:
    """Let a subscription end; an end that is still ahead may be moved, one that has come may not."""
    instants.check_instant(ends_at, pointer="/ends_at")
    with transaction.atomic():
        lock_agreements()
        subscription = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
        if subscription.ends_at is not None and subscription.ends_at <= at:
            detail = f"It ended at {subscription.ends_at:%Y-%m-%d %H:%M} UTC already; start a new one instead."
            raise NotInForceError(detail, pointer="/ends_at")
        phase = subscription.phases.order_by("starts_at").last()
        if phase is None or ends_at <= phase.starts_at:
            detail = "The end must lie after the start, and after the last change of plan."
            raise NotInForceError(detail, pointer="/ends_at")
        if subscription.ends_at is not None and ends_at > subscription.ends_at:
            _refuse_meters_priced_elsewhere(
                customer_id=subscription.customer_id,
                meters=_meters_of(phase.plan),
                starts_at=subscription.ends_at,
                ends_at=ends_at,
                besides=subscription,
            )
        subscription.ends_at = phase.ends_at = ends_at
        subscription.save(update_fields=["ends_at"])
        phase.save(update_fields=["ends_at"])
        facts = {"ends_at": ends_at.isoformat()}
        _record("subscription_ended", subscription, facts=facts, actor=actor, at=at)
    return subscription


def lock_agreements() -> None:
    """One agreement at a time: who pays for a meter is a question across subscriptions, plans and charges."""
    locks.lock_exclusive(locks.LockClass.SUBSCRIPTION)


def check_new_meter(*, plan: Plan, meter: Meter) -> None:
    """Refuse a charge that would let a customer of the plan pay twice for the meter."""
    for phase in plan.phases.select_related("subscription"):
        _refuse_meters_priced_elsewhere(
            customer_id=phase.subscription.customer_id,
            meters=[meter.pk],
            starts_at=phase.starts_at,
            ends_at=phase.ends_at,
            besides=phase.subscription,
        )


def _last_phase(subscription: Subscription, *, before: datetime) -> SubscriptionPhase:
    """The phase that a change at this instant ends; the change must come after every other."""
    if subscription.ends_at is not None and before >= subscription.ends_at:
        detail = f"The subscription ends at {subscription.ends_at:%Y-%m-%d %H:%M} UTC, before this change."
        raise NotInForceError(detail, pointer="/effective_at")
    phase = subscription.phases.select_related("plan").order_by("starts_at").last()
    if phase is None or before <= phase.starts_at:
        since = subscription.starts_at if phase is None else phase.starts_at
        detail = f"The last agreed plan begins at {since:%Y-%m-%d %H:%M} UTC; a change must come after it."
        raise NotInForceError(detail, pointer="/effective_at")
    return phase


def _check_change(phase: SubscriptionPhase, *, to: Plan) -> None:
    if phase.plan_id == to.pk:
        raise PlanMismatchError(f"The subscription is on plan {to.code} already.", pointer="/plan")
    if phase.plan.currency != to.currency:
        detail = f"Plan {to.code} is in {to.currency}, the subscription in {phase.plan.currency}."
        raise PlanMismatchError(f"{detail} End it and start a new one.", pointer="/plan")
    if phase.plan.bills_every != to.bills_every:
        detail = f"Plan {to.code} bills by {to.bills_every}, the subscription by {phase.plan.bills_every}."
        raise PlanMismatchError(f"{detail} End it at the end of a period and start a new one there.", pointer="/plan")


def _check_approved(plan: Plan, *, instant: datetime) -> None:
    if not plan.versions.filter(status=ProposalStatus.APPROVED, effective_at__lte=instant).exists():
        detail = f"No version of plan {plan.code} is approved for {instant:%Y-%m-%d}. Have one approved first."
        raise PlanNotApprovedError(detail, pointer="/plan")


def _add_phase(
    subscription: Subscription, *, plan: Plan, starts_at: datetime, actor: Any, at: datetime
) -> SubscriptionPhase:
    return SubscriptionPhase.objects.create(
        subscription=subscription,
        plan=plan,
        starts_at=starts_at,
        ends_at=subscription.ends_at,
        created_by=actor,
        created_at=at,
    )


def _record(action: str, subscription: Subscription, *, facts: dict[str, str], actor: Any, at: datetime) -> None:
    audit.append_entry(action=action, subject=f"subscription:{subscription.pk}", actor=actor, facts=facts, at=at)


def _meters_of(plan: Plan) -> list[int]:
    return list(plan.charges.filter(meter__isnull=False).values_list("meter_id", flat=True))


def _refuse_meters_priced_elsewhere(
    *,
    customer_id: int,
    meters: list[int],
    starts_at: datetime,
    ends_at: datetime | None,
    besides: Subscription | None = None,
) -> None:
    phases = SubscriptionPhase.objects.filter(subscription__customer=customer_id)
    phases = phases.filter(Q(ends_at=None) | Q(ends_at__gt=starts_at))
    if ends_at is not None:
        phases = phases.filter(starts_at__lt=ends_at)
    if besides is not None:
        phases = phases.exclude(subscription=besides)
    charge = (
        Charge.objects.filter(meter__in=meters, plan__in=phases.values("plan")).select_related("plan", "meter").first()
    )
    if charge is not None and charge.meter is not None:
        detail = (
            f"Another subscription of this customer prices {charge.meter.code} (plan {charge.plan.code}) at that time."
        )
        raise MeterPricedTwiceError(f"{detail} End it first.", pointer="/plan")
