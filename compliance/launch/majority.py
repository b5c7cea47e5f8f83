"""Whether a price change is major for the customers of a program, by what it would have cost each of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.urls import reverse

from compliance.launch.rules import changes
from core import money
from invoicing.effects.models import Effect, EffectRun
from invoicing.pricing.models import (
    FeeProgramVersion,
    InvoiceTerm,
    Plan,
    PlanVersion,
    PriceVersion,
    SubscriptionPhase,
)

Priced = PriceVersion | PlanVersion | FeeProgramVersion | InvoiceTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Minor, major or unknown, and why in words; `link` is where an unknown effect is asked for."""

    said: str
    is_major: bool = False
    is_unknown: bool = False
    link: str = ""


def programs_of(version: Priced, *, at: datetime) -> set[str]:
    """The programs of the customers whose subscriptions run on what the version prices, now or later."""
    plans = _plans_of(version)
    if plans is None:
        return set()
    running = SubscriptionPhase.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), plan__in=plans)
    return set(running.values_list("subscription__customer__program", flat=True).distinct())


def judge(version: Priced, *, program: str, above: Decimal) -> Change:
    """By the latest effect that was worked out for it; a fee table and an agreed amount cannot be, and are major."""
    match version:
        case PriceVersion():
            return _by_effect(version, EffectRun.objects.filter(price_version=version), program=program, above=above)
        case PlanVersion():
            return _by_effect(version, EffectRun.objects.filter(plan_version=version), program=program, above=above)
        case InvoiceTerm():
            return _by_percent(version, above=above)
    return Change(said="what a fee table changes cannot be told beforehand", is_major=True)


def _plans_of(version: Priced) -> QuerySet[Plan] | None:
    match version:
        case PriceVersion():
            return Plan.objects.filter(charges=version.charge_id)
        case PlanVersion():
            return Plan.objects.filter(pk=version.plan_id)
        case FeeProgramVersion():
            named = PriceVersion.objects.filter(model="fee_program", params__program=version.program.code)
            return Plan.objects.filter(charges__price_versions__in=named)
    # What is agreed with one customer is no release.
    return None if version.plan_id is None else Plan.objects.filter(pk=version.plan_id)


def _by_percent(term: InvoiceTerm, *, above: Decimal) -> Change:
    if term.percent is None:
        return Change(said="what an amount is of each bill cannot be told beforehand", is_major=True)
    return Change(said=f"{money.plain(term.percent)} % of every bill", is_major=term.percent > above)


def _by_effect(
    version: PriceVersion | PlanVersion, asked: QuerySet[EffectRun], *, program: str, above: Decimal
) -> Change:
    run = asked.filter(finished_at__isnull=False).order_by("-pk").first()
    if run is None:
        page = reverse(f"admin:pricing_{version._meta.model_name}_change", args=[version.pk])
        return Change(said=f"What {version} would have cost is not worked out.", is_unknown=True, link=page)
    effects = run.effects.filter(customer__program=program).select_related("customer").order_by("pk")
    major = [effect for effect in effects if _is_major(effect, above=above)]
    if not major:
        return Change(said=f"nobody's last period would have changed by more than {money.plain(above)} %")
    return Change(said=_told(major[0], others=len(major) - 1), is_major=True)


def _is_major(effect: Effect, *, above: Decimal) -> bool:
    """A customer whose period could not be rated both ways may be changed by anything."""
    if effect.old_amount is None or effect.new_amount is None:
        return True
    return changes.is_major(old=effect.old_amount, new=effect.new_amount, above_percent=above)


def _told(effect: Effect, *, others: int) -> str:
    code = effect.customer.code
    beside = f", and {others} more customers" if others else ""
    if effect.old_amount is None or effect.new_amount is None:
        return f"the last period of {code} cannot be rated by it{beside}"
    old, new = (
        money.amount_text(amount, currency=effect.currency) for amount in (effect.old_amount, effect.new_amount)
    )
    return f"the last period of {code}: {old} before, {new} after{beside}"
