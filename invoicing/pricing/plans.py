"""Makes plans and adds charges to them."""

from django.db import IntegrityError, transaction

from core.errors import DomainError
from invoicing.pricing import subscribe
from invoicing.pricing.models import Charge, Plan
from metering.models import Meter


class ChargeTakenError(DomainError):
    """The plan has a charge of this code, or one for this meter, already."""

    code = "charge_taken"


def create_plan(
    *,
    code: str,
    name: str,
    currency: str,
    interval: str = Plan.Interval.MONTH,
    proration_unit: str = Plan.ProrationUnit.SECOND,
    description: str = "",
) -> Plan:
    """An offer without charges yet."""
    return Plan.objects.create(
        code=code,
        name=name,
        currency=currency,
        interval=interval,
        proration_unit=proration_unit,
        description=description,
    )


def describe_plan(*, plan: Plan, name: str, description: str) -> Plan:
    """Change how a plan is named and described; its terms are fixed."""
    plan.name, plan.description = name, description
    plan.save(update_fields=["name", "description"])
    return plan


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
