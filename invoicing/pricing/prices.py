"""Proposes and approves price versions, and adds tax rates. What has come into force is followed, never rewritten."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from core import audit, money
from core.errors import InvalidInputError, NotFoundError
from invoicing.pricing import fee_programs, plans, proposals
from invoicing.pricing.models import Charge, Plan, PriceVersion, TaxRate
from invoicing.pricing.rules import instants
from invoicing.pricing.rules import params as price_params
from metering.models import Meter

# Priced from a number alone, such as seats.
COUNTED_MODELS = ("flat", "standard", "graduated", "volume", "package", "graduated_package", "volume_package")


class ChargeUnnamedError(InvalidInputError):
    """It does not follow from the call which charge is meant, or what a new one is called."""

    code = "charge_unnamed"


class ModelUnfitError(InvalidInputError):
    """A flat fee for a meter, or a price that looks into usage without one."""

    code = "model_unfit"


def propose_price_version(
    *, charge: Charge, model: str, params: Any, effective_at: datetime, actor: Any, at: datetime
) -> PriceVersion:
    """The next price of a charge, for another person to approve: in force from `effective_at` until a later one.

    It may not begin before an approved version that has come into force. Among versions that are still ahead it takes
    its place by instant, and replaces one of the same instant. A past instant changes only periods that are not billed
    yet.
    """
    proposals.check_author(actor)
    instants.check_instant(effective_at, pointer="/effective_at")
    parsed = price_params.parse_stored_params(model=model, params=params)
    of_plan = model in price_params.PLAN_MODELS
    if charge.meter_id is not None and (of_plan or isinstance(parsed, price_params.FlatParams)):
        raise ModelUnfitError(f"Charge {charge.code} must be priced by usage, for it has a meter.", pointer="/model")
    if charge.meter_id is None and not of_plan and model not in COUNTED_MODELS:
        counted = ", ".join(COUNTED_MODELS)
        detail = f"Charge {charge.code} has no meter, so it has a price of the whole plan or of a number: {counted}."
        raise ModelUnfitError(detail, pointer="/model")
    if isinstance(parsed, price_params.FeeProgramParams):
        fee_programs.check_charge(parsed, plan=charge.plan)
    with transaction.atomic():
        Charge.objects.select_for_update(no_key=True).get(pk=charge.pk)
        price = PriceVersion.objects.create(
            charge=charge,
            version=proposals.next_version(charge.price_versions.all(), effective_at=effective_at, at=at),
            effective_at=effective_at,
            model=model,
            params=price_params.write_params(parsed),
            created_by=actor,
            created_at=at,
        )
        proposals.record_proposal(price, subject=_subject(price), facts={"model": model, "params": price.params})
    return price


def approve_price_version(*, pk: int, actor: Any, at: datetime) -> PriceVersion:
    """Let a price count from its instant on; refused to its author."""
    with transaction.atomic():
        price = _lock_price(pk)
        siblings = price.charge.price_versions.all()
        proposals.approve(price, siblings=siblings, subject=_subject(price), actor=actor, at=at)
    return price


def withdraw_price_version(*, pk: int, actor: Any, at: datetime) -> PriceVersion:
    """Turn a proposed price down; it is kept."""
    with transaction.atomic():
        price = _lock_price(pk)
        proposals.withdraw(price, subject=_subject(price), actor=actor, at=at)
    return price


def propose_plan_price(
    *,
    plan: Plan,
    charge_code: str | None,
    meter: Meter | None,
    name: str | None,
    model: str,
    params: Any,
    effective_at: datetime,
    actor: Any,
    at: datetime,
) -> PriceVersion:
    """The same for a plan's charge, named by its code or its meter; a charge that is not there yet is made."""
    with transaction.atomic():
        charge = _find_charge(plan, code=charge_code, meter=meter)
        if charge is None:
            label = name or (meter.name if meter else None)
            if label is None:
                raise ChargeUnnamedError("The charge is new; give it a name for the invoice.", pointer="/name")
            code = charge_code or (meter.code if meter else "")
            charge = plans.add_charge(plan=plan, code=code, name=label, meter=meter)
        return propose_price_version(
            charge=charge, model=model, params=params, effective_at=effective_at, actor=actor, at=at
        )


def add_tax_rate(
    *,
    code: str,
    name: str,
    category: str,
    percent: Decimal,
    effective_at: datetime,
    note: str,
    actor: Any,
    at: datetime,
) -> TaxRate:
    """The next percentage of a tax, under the same rule of time as prices."""
    instants.check_instant(effective_at, pointer="/effective_at")
    if (category == TaxRate.Category.STANDARD) != (percent > 0):
        detail = "A standard rate is more than 0 %; every other category is 0 %."
        raise InvalidInputError(detail, pointer="/percent")
    with transaction.atomic():
        rates = TaxRate.objects.select_for_update().filter(code=code, effective_at__lte=at)
        _refuse_before_in_force(effective_at, newest=max((rate.effective_at for rate in rates), default=None))
        rate = TaxRate.objects.create(
            code=code,
            name=name,
            category=category,
            percent=percent,
            effective_at=effective_at,
            note=note,
            created_by=actor,
            created_at=at,
        )
        facts = {"category": category, "percent": money.plain(percent), "effective_at": effective_at.isoformat()}
        audit.append_entry(action="tax_rate_added", subject=f"tax:{code}", actor=actor, facts=facts, at=at)
    return rate


def _find_charge(plan: Plan, *, code: str | None, meter: Meter | None) -> Charge | None:
    if code is None and meter is None:
        raise ChargeUnnamedError("Name the charge by its code, or by its meter.", pointer="/charge")
    found = plan.charges.filter(meter=meter) if code is None else plan.charges.filter(code=code)
    charge = found.select_related("plan").first()
    if charge is not None and meter is not None and charge.meter_id != meter.pk:
        raise ChargeUnnamedError(f"Charge {charge.code} is not for meter {meter.code}.", pointer="/meter")
    return charge


def _lock_price(price_id: int) -> PriceVersion:
    """Lock the charge first: its prices are decided on one after the other."""
    found = PriceVersion.objects.filter(pk=price_id).first()
    if found is None:
        raise NotFoundError(f"There is no price version {price_id}.")
    Charge.objects.select_for_update(no_key=True).get(pk=found.charge_id)
    return PriceVersion.objects.select_related("charge__plan").get(pk=price_id)


def _subject(price: PriceVersion) -> str:
    return f"price:{price.charge.plan.code}/{price.charge.code}/{price.version}"


def _refuse_before_in_force(effective_at: datetime, *, newest: datetime | None) -> None:
    if newest is not None and effective_at <= newest:
        detail = f"The rate in force began at {newest:%Y-%m-%d %H:%M:%S} UTC; a new one must begin after that."
        raise proposals.EarlierThanInForceError(detail, pointer="/effective_at")
