"""Cuts due periods into stretches with one plan and one price: what is aggregated and rated by itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.periods import Period
from invoicing.pricing import queries
from invoicing.pricing.fee_segments import Cut, ProgramBook
from invoicing.pricing.models import Charge, PlanVersion, PriceVersion, ProposalStatus, SubscriptionPhase
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Dated, Stretch
from metering import queries as metering_queries


@dataclass(frozen=True, slots=True)
class PriceSegment:
    """One charge of a period over `[start, end)`, in which neither plan, terms, price nor what is measured change.

    Where the price follows a fee program, `fee_version_id` names the figures.
    """

    subscription_id: int
    customer_id: int
    period: Period
    charge_id: int
    plan_id: int
    meter_id: int | None
    plan_version_id: int
    price_version_id: int
    start: datetime
    end: datetime
    whole: Period  # the period from boundary to boundary; longer than `period` where that is a short first or last one
    proration_unit: str
    zone: str
    fee_version_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Offer:
    """A charge with its prices laid end to end, and when what its meter measures changes."""

    charge_id: int
    meter_id: int | None
    prices: tuple[Stretch, ...]
    measured: tuple[datetime, ...]


def price_segments(due: Sequence[DuePeriod]) -> list[PriceSegment]:
    """All segments of these periods, in their order, then by plan, charge and time.

    The segments of a charge cover its period wherever approved versions of its plan and its price are in force, without
    gap or overlap.
    """
    subscription_ids = sorted({each.subscription_id for each in due})
    terms = queries.terms_by_subscription(subscription_ids)
    phases = _phases(subscription_ids)
    plan_ids = {stretch.key for stretches in phases.values() for stretch in stretches}
    prices = PriceVersion.objects.filter(status=ProposalStatus.APPROVED, charge__plan__in=plan_ids).defer("params")
    offers = _offers(plan_ids, prices=prices)
    programs = ProgramBook(prices)
    versions = PlanVersion.objects.filter(status=ProposalStatus.APPROVED, plan__in=plan_ids).in_bulk()
    plan_terms = _laid_out((version.plan_id, version) for version in versions.values())
    return [
        PriceSegment(
            subscription_id=each.subscription_id,
            customer_id=each.customer_id,
            period=each.period,
            charge_id=offer.charge_id,
            plan_id=versions[cut.plan_version_id].plan_id,
            meter_id=offer.meter_id,
            plan_version_id=cut.plan_version_id,
            price_version_id=cut.price_version_id,
            start=cut.part.start,
            end=cut.part.end,
            whole=whole,
            proration_unit=versions[cut.plan_version_id].proration_unit,
            zone=versions[cut.plan_version_id].proration_zone or terms[each.subscription_id].zone,
            fee_version_id=cut.fee_version_id,
        )
        for each in due
        for whole in (timeline.whole_period(terms[each.subscription_id], instant=each.period.start),)
        for offer, cut in _cut(each.period, phases[each.subscription_id], plan_terms, offers, programs)
    ]


def _cut(
    period: Period,
    phases: Sequence[Stretch],
    plan_terms: Mapping[int, Sequence[Stretch]],
    offers: Mapping[int, Sequence[_Offer]],
    programs: ProgramBook,
) -> Iterator[tuple[_Offer, Cut]]:
    """Charge, versions and time; whatever changes, the next part begins there."""
    for plan_id, stay in timeline.cut(period, phases):
        for offer in offers.get(plan_id, ()):
            cuts = [
                Cut(plan_version_id, price_version_id, part)
                for plan_version_id, under_terms in timeline.cut(stay, plan_terms.get(plan_id, ()))
                for price_version_id, part in timeline.cut(under_terms, offer.prices)
            ]
            yield from ((offer, cut) for cut in programs.cut(cuts, measured=offer.measured))


def _phases(subscription_ids: Iterable[int]) -> dict[int, list[Stretch]]:
    rows = SubscriptionPhase.objects.filter(subscription__in=subscription_ids).order_by("subscription_id", "starts_at")
    phases: dict[int, list[Stretch]] = defaultdict(list)
    for subscription_id, plan_id, starts_at, ends_at in rows.values_list(
        "subscription_id", "plan_id", "starts_at", "ends_at"
    ):
        phases[subscription_id].append(Stretch(plan_id, starts_at, ends_at))
    return phases


def _offers(plan_ids: Iterable[int], *, prices: Iterable[PriceVersion]) -> dict[int, list[_Offer]]:
    in_time = _laid_out((price.charge_id, price) for price in prices)
    offers: dict[int, list[_Offer]] = defaultdict(list)
    charges = (
        Charge.objects.filter(plan__in=plan_ids).order_by("plan_id", "pk").values_list("pk", "plan_id", "meter_id")
    )
    changes = metering_queries.measure_changes({meter_id for _, _, meter_id in charges if meter_id is not None})
    for pk, plan_id, meter_id in charges:
        # A window is measured by one version of its meter, so it ends where what is measured changes.
        measured = tuple(changes.get(meter_id, ()))
        stretches = timeline.split(in_time.get(pk, ()), at=measured)
        offers[plan_id].append(_Offer(pk, meter_id, tuple(stretches), measured))
    return offers


def _laid_out(owned: Iterable[tuple[int, PlanVersion | PriceVersion]]) -> dict[int, tuple[Stretch, ...]]:
    """The versions of each owner laid end to end."""
    versions: dict[int, list[Dated]] = defaultdict(list)
    for owner_id, each in owned:
        versions[owner_id].append(Dated(each.pk, each.effective_at, each.version))
    return {owner_id: tuple(timeline.in_force(dated)) for owner_id, dated in versions.items()}
