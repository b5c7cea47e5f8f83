"""Makes plans, follows their terms by new versions, and adds charges to them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.pricing import proposals, subscribe
from invoicing.pricing.models import Charge, Plan, PlanVersion
from invoicing.pricing.rules import instants, timeline
from invoicing.pricing.rules.timeline import Dated
from metering.models import Meter

DAYS_AND_WEEKS = (Plan.Interval.DAY, Plan.Interval.WEEK)


class ChargeTakenError(DomainError):
    """The plan has a charge of this code, or one for this meter, already."""

    code = "charge_taken"


def create_plan(
    *,
    code: str,
    name: str,
    currency: str,
    actor: Any,
    at: datetime,
    interval: str = Plan.Interval.MONTH,
    interval_count: int = 1,
    description: str = "",
    **terms: Any,
) -> Plan:
    """An offer without charges yet; its first version, proposed with it, holds since ever once it is approved."""
    with transaction.atomic():
        plan = Plan.objects.create(
            code=code,
            name=name,
            currency=currency,
            interval=interval,
            interval_count=interval_count,
            description=description,
        )
        propose_version(plan=plan, terms=terms, effective_at=instants.EARLIEST, actor=actor, at=at)
    return plan


def describe_plan(*, plan: Plan, name: str, description: str) -> Plan:
    """Change how a plan is named and described; its terms are fixed."""
    plan.name, plan.description = name, description
    plan.save(update_fields=["name", "description"])
    return plan


def propose_version(
    *, plan: Plan, terms: dict[str, Any], effective_at: datetime, actor: Any, at: datetime
) -> PlanVersion:
    """The next terms of a plan, for another person to approve; what `terms` leaves out has its default."""
    proposals.check_author(actor)
    instants.check_instant(effective_at, pointer="/effective_at")
    _check_terms(plan, terms)
    with transaction.atomic():
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        version = PlanVersion.objects.create(
            plan=plan,
            version=proposals.next_version(plan.versions.all(), effective_at=effective_at, at=at),
            effective_at=effective_at,
            created_by=actor,
            created_at=at,
            **terms,
        )
        facts = {name: getattr(version, name) for name in PlanVersion.TERMS}
        proposals.record_proposal(version, subject=_subject(version), facts=facts)
    return version


def approve_version(*, pk: int, actor: Any, at: datetime) -> PlanVersion:
    """Let the terms count from their instant on; refused to their author."""
    with transaction.atomic():
        version = _lock_version(pk)
        siblings = version.plan.versions.all()
        proposals.approve(version, siblings=siblings, subject=_subject(version), actor=actor, at=at)
    return version


def withdraw_version(*, pk: int, actor: Any, at: datetime) -> PlanVersion:
    """Turn proposed terms down; they are kept."""
    with transaction.atomic():
        version = _lock_version(pk)
        proposals.withdraw(version, subject=_subject(version), actor=actor, at=at)
    return version


def find_version(*, plan_code: str, version: int) -> PlanVersion:
    """One version of a plan; NotFoundError where there is none."""
    found = PlanVersion.objects.filter(plan__code=plan_code, version=version).first()
    if found is None:
        raise NotFoundError(f"Plan {plan_code} has no version {version}.")
    return found


def terms_of(versions: Iterable[PlanVersion], *, at: datetime) -> PlanVersion:
    """The version in force at an instant; where none is, the newest one."""
    known = {version.pk: version for version in versions}
    dated = [Dated(each.pk, each.effective_at, each.version) for each in known.values() if each.counts]
    in_force = [stretch.key for stretch in timeline.in_force(dated) if stretch.holds_at(at)]
    return known[in_force[0]] if in_force else max(known.values(), key=lambda each: each.version)


def add_charge(*, plan: Plan, code: str, name: str, meter: Meter | None) -> Charge:
    """Charge for a meter's usage, or a flat fee where no meter is named; its prices are added afterwards.

    Refused where a customer of the plan already pays for the meter through another subscription.
    """
    with transaction.atomic():
        subscribe.lock_agreements()
        if meter is not None:
            subscribe.check_new_meter(plan=plan, meter=meter)
        try:
            with transaction.atomic():
                return Charge.objects.create(plan=plan, code=code, name=name, meter=meter)
        except IntegrityError as error:
            detail = f"Plan {plan.code} has a charge {code} already, or another one for this meter."
            raise ChargeTakenError(detail, pointer="/charge") from error


def _check_terms(plan: Plan, terms: dict[str, Any]) -> None:
    if terms.get("proration_unit") == PlanVersion.ProrationUnit.DAY30 and plan.interval in DAYS_AND_WEEKS:
        detail = f"Plan {plan.code} bills by {plan.bills_every}: count its days as they are."
        raise InvalidInputError(detail, pointer="/proration_unit")


def _lock_version(version_id: int) -> PlanVersion:
    """Lock the plan first: its versions are decided on one after the other."""
    found = PlanVersion.objects.filter(pk=version_id).first()
    if found is None:
        raise NotFoundError(f"There is no plan version {version_id}.")
    Plan.objects.select_for_update(no_key=True).get(pk=found.plan_id)
    return PlanVersion.objects.select_related("plan").get(pk=version_id)


def _subject(version: PlanVersion) -> str:
    return f"plan:{version.plan.code}/{version.version}"
