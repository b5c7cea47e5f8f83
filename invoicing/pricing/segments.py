"""Cuts due periods into stretches with one plan and one price: what is aggregated and rated by itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.periods import Period
from invoicing.pricing import queries
from invoicing.pricing.models import Charge, Plan, PriceVersion, SubscriptionPhase
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Dated, Stretch


@dataclass(frozen=True, slots=True)
class PriceSegment:
    """One charge of a period over `[start, end)`, in which neither plan nor price changes."""

    subscription_id: int
    customer_id: int
    period: Period
    charge_id: int
    plan_id: int
    meter_id: int | None
    price_version_id: int
    start: datetime
    end: datetime
    whole: Period  # the period from boundary to boundary; longer than `period` where that is a short first or last one
    proration_unit: str
    zone: str


@dataclass(frozen=True, slots=True)
class _Offer:
    """A charge with its prices laid end to end."""

    charge_id: int
    meter_id: int | None
    prices: tuple[Stretch, ...]


def price_segments(due: Sequence[DuePeriod]) -> list[PriceSegment]:
    """All segments of these periods, in their order, then by plan, charge and time.

    The segments of a charge cover its period wherever the plan holds and a price is in force, without gap or overlap.
    """
    subscription_ids = sorted({each.subscription_id for each in due})
    terms = queries.terms_by_subscription(subscription_ids)
    phases = _phases(subscription_ids)
    plan_ids = {stretch.key for stretches in phases.values() for stretch in stretches}
    offers = _offers(plan_ids)
    units = dict(Plan.objects.filter(pk__in=plan_ids).values_list("pk", "proration_unit"))
    return [
        PriceSegment(
            subscription_id=each.subscription_id,
            customer_id=each.customer_id,
            period=each.period,
            charge_id=offer.charge_id,
            plan_id=plan_id,
            meter_id=offer.meter_id,
            price_version_id=price_version_id,
            start=part.start,
            end=part.end,
            whole=whole,
            proration_unit=units[plan_id],
            zone=terms[each.subscription_id].zone,
        )
        for each in due
        for whole in (timeline.whole_period(terms[each.subscription_id], instant=each.period.start),)
        for plan_id, offer, price_version_id, part in _cut(each.period, phases[each.subscription_id], offers)
    ]


def _cut(
    period: Period, phases: Sequence[Stretch], offers: dict[int, list[_Offer]]
) -> Iterator[tuple[int, _Offer, int, Period]]:
    for plan_id, stay in timeline.cut(period, phases):
        for offer in offers[plan_id]:
            for price_version_id, part in timeline.cut(stay, offer.prices):
                yield plan_id, offer, price_version_id, part


def _phases(subscription_ids: Iterable[int]) -> dict[int, list[Stretch]]:
    rows = SubscriptionPhase.objects.filter(subscription__in=subscription_ids).order_by("subscription_id", "starts_at")
    phases: dict[int, list[Stretch]] = defaultdict(list)
    for subscription_id, plan_id, starts_at, ends_at in rows.values_list(
        "subscription_id", "plan_id", "starts_at", "ends_at"
    ):
        phases[subscription_id].append(Stretch(plan_id, starts_at, ends_at))
    return phases


def _offers(plan_ids: Iterable[int]) -> dict[int, list[_Offer]]:
    versions: dict[int, list[Dated]] = defaultdict(list)
    priced = PriceVersion.objects.filter(charge__plan__in=plan_ids)
    for pk, charge_id, effective_at, version in priced.values_list("pk", "charge_id", "effective_at", "version"):
        versions[charge_id].append(Dated(pk, effective_at, version))
    offers: dict[int, list[_Offer]] = defaultdict(list)
    charges = Charge.objects.filter(plan__in=plan_ids).order_by("plan_id", "pk")
    for pk, plan_id, meter_id in charges.values_list("pk", "plan_id", "meter_id"):
        offers[plan_id].append(_Offer(pk, meter_id, tuple(timeline.in_force(versions[pk]))))
    return offers
