"""Cuts due periods into stretches in which nothing agreed changes: what is aggregated and rated by itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from core import knowing
from core.periods import Period
from invoicing.pricing import queries
from invoicing.pricing.fee_segments import Cut, ProgramBook
from invoicing.pricing.models import (
    Charge,
    KeptPrices,
    PlanVersion,
    PriceVersion,
    ProposalStatus,
    SubscriptionPhase,
    SubscriptionQuantity,
)
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import instants, timeline
from invoicing.pricing.rules.timeline import Dated, Stretch
from metering import queries as metering_queries

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceSegment:
    """One charge of a period over `[start, end)`, in which neither plan, terms, price, quantity nor measure change.

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
    ends_at: datetime | None  # when the subscription is over; inside `period` where that was agreed once it was begun
    zone: str  # the subscription's: whose midnights its usage and its periods are cut at
    proration_unit: str
    proration_zone: str  # whose days a share counts
    fee_version_id: int | None = None
    quantity: Decimal = ONE  # of a charge without a meter, such as seats
    rounding_level: str = "line"


@dataclass(frozen=True, slots=True)
class Supposed:
    """What if: these versions in force all the time, by charge and by plan, these plans for others, nothing kept.

    For asking what a version that nobody has approved yet would have cost; nothing that is billed comes from it.
    """

    prices: Mapping[int, int] = field(default_factory=dict)
    terms: Mapping[int, int] = field(default_factory=dict)
    plans: Mapping[int, int] = field(default_factory=dict)
    without_kept: bool = False


AS_AGREED = Supposed()


@dataclass(frozen=True, slots=True)
class Told:
    """Plans, and older prices kept of them, by subscription, as they were agreed at another time than now."""

    phases: Mapping[int, Sequence[Stretch]]
    kept: Mapping[int, Mapping[int, Sequence[Stretch]]]


@dataclass(frozen=True, slots=True)
class _Offer:
    """A charge with its prices laid end to end, and when what its meter measures changes."""

    charge_id: int
    code: str
    meter_id: int | None
    prices: tuple[Stretch, ...]
    measured: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class _Own:
    """What one subscription has of its own: how many from when on, by charge code, and its kept prices, by plan."""

    counted: Mapping[str, Sequence[Stretch]]
    kept: Mapping[int, Sequence[Stretch]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a period, and what holds in it."""

    offer: _Offer
    cut: Cut
    quantity_id: int | None
    part: Period


@dataclass(frozen=True, slots=True)
class _Book:
    """What plans say, by plan, and the fee programs that their prices follow."""

    plan_terms: Mapping[int, Sequence[Stretch]]
    offers: Mapping[int, Sequence[_Offer]]
    programs: ProgramBook


def price_segments(
    due: Sequence[DuePeriod], *, supposed: Supposed = AS_AGREED, told: Told | None = None
) -> list[PriceSegment]:
    """All segments of these periods, in their order, then by plan, charge and time.

    The segments of a charge cover its period wherever approved versions of its plan and its price are in force, without
    gap or overlap. Where it is `told` what was agreed about the subscriptions, they are not asked what is by now.
    """
    subscription_ids = sorted({each.subscription_id for each in due})
    terms = queries.terms_by_subscription(subscription_ids)
    phases = _phases(subscription_ids, plans=supposed.plans) if told is None else told.phases
    plan_ids = {stretch.key for stretches in phases.values() for stretch in stretches}
    counting = Q(status=ProposalStatus.APPROVED) & knowing.is_known("decided_at")
    prices = PriceVersion.objects.filter(
        counting | Q(pk__in=supposed.prices.values()), charge__plan__in=plan_ids
    ).defer("params")
    offers = _offers(plan_ids, prices=prices, supposed=supposed.prices)
    programs = ProgramBook(prices)
    versions = PlanVersion.objects.filter(counting | Q(pk__in=supposed.terms.values()), plan__in=plan_ids).in_bulk()
    agreed = (version for version in versions.values() if version.counts)
    plan_terms = {**_laid_out((version.plan_id, version) for version in agreed), **_always(supposed.terms)}
    quantities, counted = _counted(subscription_ids)
    kept = _kept(subscription_ids, supposed=supposed) if told is None else told.kept
    book = _Book(plan_terms, offers, programs)
    return [
        _segment(
            each,
            piece,
            whole=whole,
            ends_at=phases[each.subscription_id][-1].end,
            zone=terms[each.subscription_id].zone,
            version=versions[piece.cut.plan_version_id],
            quantity=ONE if piece.quantity_id is None else quantities[piece.quantity_id],
        )
        for each in due
        for whole in (timeline.whole_period(terms[each.subscription_id], instant=each.period.start),)
        for own in (_Own(counted.get(each.subscription_id, {}), kept.get(each.subscription_id, {})),)
        for piece in _cut(each.period, phases[each.subscription_id], book=book, own=own)
    ]


def _segment(
    due: DuePeriod,
    piece: _Piece,
    *,
    whole: Period,
    ends_at: datetime | None,
    zone: str,
    version: PlanVersion,
    quantity: Decimal,
) -> PriceSegment:
    return PriceSegment(
        subscription_id=due.subscription_id,
        customer_id=due.customer_id,
        period=due.period,
        charge_id=piece.offer.charge_id,
        plan_id=version.plan_id,
        meter_id=piece.offer.meter_id,
        plan_version_id=piece.cut.plan_version_id,
        price_version_id=piece.cut.price_version_id,
        start=piece.part.start,
        end=piece.part.end,
        whole=whole,
        ends_at=ends_at,
        zone=zone,
        proration_unit=version.proration_unit,
        proration_zone=version.proration_zone or zone,
        fee_version_id=piece.cut.fee_version_id,
        quantity=quantity,
        rounding_level=version.rounding_level,
    )


def _cut(period: Period, phases: Sequence[Stretch], *, book: _Book, own: _Own) -> Iterator[_Piece]:
    """Whatever changes (plan, terms, price, figures, quantity), the next piece begins there."""
    for plan_id, stay in timeline.cut(period, phases):
        kept = own.kept.get(plan_id, ())
        terms = _with_kept(book.plan_terms.get(plan_id, ()), kept)
        for offer in book.offers.get(plan_id, ()):
            prices = tuple(timeline.split(_with_kept(offer.prices, kept), at=offer.measured))
            cuts = [
                Cut(plan_version_id, price_version_id, part)
                for plan_version_id, under_terms in timeline.cut(stay, terms)
                for price_version_id, part in timeline.cut(under_terms, prices)
            ]
            for cut in book.programs.cut(cuts, measured=offer.measured):
                for quantity_id, part in _cut_by_quantity(cut.part, offer, own):
                    yield _Piece(offer, cut, quantity_id, part)


def _cut_by_quantity(at_price: Period, offer: _Offer, own: _Own) -> Iterator[tuple[int | None, Period]]:
    """Usage is counted by its meter; what has no meter is one of, until a quantity is agreed."""
    counted = () if offer.meter_id is not None else own.counted.get(offer.code, ())
    if not counted or at_price.start < counted[0].start:
        end = min(at_price.end, counted[0].start) if counted else at_price.end
        yield None, Period(at_price.start, end)
    yield from timeline.cut(at_price, counted)


def _with_kept(stretches: Sequence[Stretch], kept: Sequence[Stretch]) -> Sequence[Stretch]:
    for each in kept:
        if each.end is not None:
            stretches = timeline.keep(stretches, since=each.start, until=each.end)
    return stretches


def _counted(subscription_ids: Sequence[int]) -> tuple[dict[int, Decimal], dict[int, dict[str, list[Stretch]]]]:
    """Quantities by id, and which is in force when, by subscription and charge code."""
    rows = list(SubscriptionQuantity.objects.filter(knowing.is_known("created_at"), subscription__in=subscription_ids))
    dated: dict[tuple[int, str], list[Dated]] = defaultdict(list)
    for row in rows:
        dated[row.subscription_id, row.charge_code].append(Dated(row.pk, row.effective_at, row.pk))
    counted: dict[int, dict[str, list[Stretch]]] = defaultdict(dict)
    for (subscription_id, code), known in dated.items():
        counted[subscription_id][code] = timeline.in_force(known)
    return {row.pk: row.quantity for row in rows}, counted


def _kept(subscription_ids: Sequence[int], *, supposed: Supposed) -> dict[int, dict[int, list[Stretch]]]:
    """By subscription and plan, in order of time."""
    if supposed.without_kept:
        return {}
    kept: dict[int, dict[int, list[Stretch]]] = defaultdict(lambda: defaultdict(list))
    known = KeptPrices.objects.filter(knowing.is_known("created_at"), subscription__in=subscription_ids)
    for row in known.order_by("starts_at"):
        kept[row.subscription_id][row.plan_id].append(Stretch(row.pk, row.starts_at, row.ends_at))
    return kept


def _phases(subscription_ids: Iterable[int], *, plans: Mapping[int, int]) -> dict[int, list[Stretch]]:
    rows = SubscriptionPhase.objects.filter(subscription__in=subscription_ids).order_by("subscription_id", "starts_at")
    phases: dict[int, list[Stretch]] = defaultdict(list)
    for subscription_id, plan_id, starts_at, ends_at in rows.values_list(
        "subscription_id", "plan_id", "starts_at", "ends_at"
    ):
        phases[subscription_id].append(Stretch(plans.get(plan_id, plan_id), starts_at, ends_at))
    return phases


def _offers(
    plan_ids: Iterable[int], *, prices: Iterable[PriceVersion], supposed: Mapping[int, int]
) -> dict[int, list[_Offer]]:
    agreed = _laid_out((price.charge_id, price) for price in prices if price.counts)
    in_time = {**agreed, **_always(supposed)}
    offers: dict[int, list[_Offer]] = defaultdict(list)
    charges = (
        Charge.objects.filter(plan__in=plan_ids)
        .order_by("plan_id", "pk")
        .values_list("pk", "plan_id", "code", "meter_id")
    )
    changes = metering_queries.measure_changes({meter_id for *_, meter_id in charges if meter_id is not None})
    for pk, plan_id, code, meter_id in charges:
        # A window is measured by one version of its meter, so it ends where what is measured changes.
        measured = tuple(changes.get(meter_id, ())) if meter_id is not None else ()
        offers[plan_id].append(_Offer(pk, code, meter_id, in_time.get(pk, ()), measured))
    return offers


def _always(versions: Mapping[int, int]) -> dict[int, tuple[Stretch, ...]]:
    """One version of each owner, as if there never were another."""
    return {owner_id: (Stretch(pk, instants.EARLIEST, None),) for owner_id, pk in versions.items()}


def _laid_out(owned: Iterable[tuple[int, PlanVersion | PriceVersion]]) -> dict[int, tuple[Stretch, ...]]:
    """The versions of each owner laid end to end."""
    versions: dict[int, list[Dated]] = defaultdict(list)
    for owner_id, each in owned:
        versions[owner_id].append(Dated(each.pk, each.effective_at, each.version))
    return {owner_id: tuple(timeline.in_force(dated)) for owner_id, dated in versions.items()}
