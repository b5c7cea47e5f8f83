"""Rates segments: a quantity and the price in force become an exact amount, its steps, and one rounded line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from core import bulk, money
from core.errors import DomainError
from core.periods import Period
from invoicing.pricing.models import Charge, PriceVersion, Subscription
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.params import Params
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import breakdowns, rules
from invoicing.rating.breakdowns import Asked, PartsMark, ReadUsage
from invoicing.rating.models import RatedLine
from invoicing.rating.rules import proration
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation, Step
from invoicing.rating.rules.usage import Breakdown
from metering import queries as metering_queries
from metering.models import AggregationSnapshot

Item = tuple[PriceSegment, AggregationSnapshot | None]


class UnratableError(DomainError):
    """Some segments have no storable amount; `subscription_ids` says whose, and nothing was written."""

    code = "unratable"
    http_status = 422

    def __init__(self, failures: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"subscription {pk}: {reason}" for pk, reason in failures[:5]))
        self.subscription_ids = frozenset(pk for pk, _ in failures)


@dataclass(frozen=True, slots=True)
class Computed:
    """A segment with its amount, before anything is stored."""

    segment: PriceSegment
    snapshot: AggregationSnapshot | None
    effective_at: datetime
    quantity: Decimal
    share: Share
    currency: str
    computation: Computation
    amount: Decimal
    parts: PartsMark | None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A stored line computed again: what its amounts, its computation and the mark of its parts should be."""

    amount: Decimal
    amount_exact: Decimal
    steps: tuple[Step, ...]
    parts: PartsMark | None

    def as_json(self) -> list[dict[str, str | int | None]]:
        return [step.as_json() for step in self.steps]

    @property
    def mark(self) -> tuple[int | None, str]:
        """What `part_count` and `parts_digest` should be."""
        return (None, "") if self.parts is None else (self.parts.count, self.parts.digest)


@dataclass(frozen=True, slots=True)
class _Price:
    """A price version, read once for all the segments that use it."""

    model: str
    params: Params
    effective_at: datetime
    currency: str
    breakdown: Breakdown | None


def compute_segments(items: Sequence[Item], *, shares: Sequence[Share] | None = None) -> list[Computed]:
    """The amounts of these segments, in their order; nothing is stored.

    `shares` of their periods are told where they are known already.
    """
    prices = _read_prices({segment.price_version_id for segment, _ in items})
    asked = [Asked(snapshot, prices[segment.price_version_id].breakdown, segment.zone) for segment, snapshot in items]
    computed: dict[int, Computed] = {}
    failures = []
    for place, read in breakdowns.read_usages(asked):
        segment, snapshot = items[place]
        price = prices[segment.price_version_id]
        share = _share(segment, price) if shares is None else shares[place]
        try:
            computed[place] = _compute(segment, snapshot, price=price, read=read, share=share)
        except rules.AmountTooLargeError as error:
            failures.append((segment.subscription_id, error.message))
    if failures:
        raise UnratableError(failures)
    return [computed[place] for place in range(len(items))]


def rate_segments(items: Sequence[Item], *, at: datetime, shares: Sequence[Share] | None = None) -> list[RatedLine]:
    """Rate and keep these segments, in their order: one line each, rounded half up once, in three queries."""
    lines = [_line(computed, at=at) for computed in compute_segments(items, shares=shares)]
    with transaction.atomic():
        bulk.insert_rows(lines)
    return lines


def rerate_lines(corrections: Sequence[tuple[RatedLine, AggregationSnapshot]], *, at: datetime) -> list[RatedLine]:
    """Rate what is known now of windows rated before, by the price of that time; whole amounts, not differences."""
    lines = [line for line, _ in corrections]
    plans = dict(Charge.objects.filter(pk__in={line.charge_id for line in lines}).values_list("pk", "plan_id"))
    zones = _zones(lines)
    return rate_segments(
        [
            (_again(line, snapshot, plan_id=plans[line.charge_id], zone=zones[line.subscription_id]), snapshot)
            for line, snapshot in corrections
        ],
        at=at,
        shares=[_share_of_line(line) for line in lines],
    )


def recompute(line: RatedLine) -> Recomputed:
    """The amount again, from the quantity, share and price version that the line names, and its parts recounted."""
    return recompute_lines([line])[0]


def recompute_lines(lines: Sequence[RatedLine]) -> list[Recomputed]:
    """The same for many, in a fixed number of statements; parts are read by other SQL than gave them first."""
    prices = _read_prices({line.price_version_id for line in lines})
    zones = _zones(line for line in lines if prices[line.price_version_id].breakdown is not None)
    asked = [
        Asked(line.snapshot, prices[line.price_version_id].breakdown, zones.get(line.subscription_id, ""))
        for line in lines
    ]
    found: dict[int, Recomputed] = {}
    for place, read in breakdowns.read_usages(asked, reader=metering_queries.recount_parts):
        found[place] = _recompute(lines[place], price=prices[lines[place].price_version_id], read=read)
    return [found[place] for place in range(len(lines))]


def _recompute(line: RatedLine, *, price: _Price, read: ReadUsage) -> Recomputed:
    computation = rules.compute(
        model=price.model,
        params=price.params,
        usage=replace(read.usage, quantity=line.quantity),
        share=_share_of_line(line),
        currency=line.currency,
    )
    amount = money.round_amount(computation.amount_exact, currency=line.currency)
    return Recomputed(amount, computation.amount_exact, computation.steps, read.parts)


def _zones(lines: Iterable[RatedLine]) -> dict[int, str]:
    """Where the days of each line's subscription begin; fixed for ever with it."""
    ids = {line.subscription_id for line in lines}
    return dict(Subscription.objects.filter(pk__in=ids).values_list("pk", "time_zone")) if ids else {}


def _again(line: RatedLine, snapshot: AggregationSnapshot, *, plan_id: int, zone: str) -> PriceSegment:
    """The segment of a rated line; its share of the period stands on the line, so the period is not asked for again."""
    segment = Period(line.segment_start, line.segment_end)
    return PriceSegment(
        subscription_id=line.subscription_id,
        customer_id=snapshot.customer_id,
        period=segment,
        charge_id=line.charge_id,
        plan_id=plan_id,
        meter_id=snapshot.meter_id,
        plan_version_id=line.plan_version_id,
        price_version_id=line.price_version_id,
        start=segment.start,
        end=segment.end,
        whole=segment,
        proration_unit="second",
        zone=zone,
    )


def _compute(
    segment: PriceSegment, snapshot: AggregationSnapshot | None, *, price: _Price, read: ReadUsage, share: Share
) -> Computed:
    computation = rules.compute(
        model=price.model, params=price.params, usage=read.usage, share=share, currency=price.currency
    )
    return Computed(
        segment=segment,
        snapshot=snapshot,
        effective_at=price.effective_at,
        quantity=read.usage.quantity,
        share=share,
        currency=price.currency,
        computation=computation,
        amount=money.round_amount(computation.amount_exact, currency=price.currency),
        parts=read.parts,
    )


def _share(segment: PriceSegment, price: _Price) -> Share:
    """A fee, and what is included in a price or limits it, is divided by time; usage itself never is."""
    if not price_params.follows_share(price.params):
        return WHOLE
    return proration.share_of_segment(
        segment=Period(segment.start, segment.end),
        period=segment.period,
        whole=segment.whole,
        unit=segment.proration_unit,
        zone=segment.zone,
    )


def _share_of_line(line: RatedLine) -> Share:
    return Share(line.share_part, line.share_whole, line.share_unit)


def _line(computed: Computed, *, at: datetime) -> RatedLine:
    segment = computed.segment
    return RatedLine(
        subscription_id=segment.subscription_id,
        charge_id=segment.charge_id,
        plan_version_id=segment.plan_version_id,
        price_version_id=segment.price_version_id,
        snapshot=computed.snapshot,
        segment_start=segment.start,
        segment_end=segment.end,
        effective_at=computed.effective_at,
        quantity=computed.quantity,
        share_part=computed.share.part,
        share_whole=computed.share.whole,
        share_unit=computed.share.unit,
        computation=computed.computation.as_json(),
        part_count=None if computed.parts is None else computed.parts.count,
        parts_digest="" if computed.parts is None else computed.parts.digest,
        currency=computed.currency,
        amount_exact=computed.computation.amount_exact,
        amount=computed.amount,
        rated_at=at,
    )


def _read_prices(version_ids: Iterable[int]) -> dict[int, _Price]:
    versions = PriceVersion.objects.filter(pk__in=version_ids).select_related("charge__plan")
    return {version.pk: _price(version) for version in versions}


def _price(version: PriceVersion) -> _Price:
    params = price_params.parse_stored_params(model=version.model, params=version.params)
    return _Price(
        model=version.model,
        params=params,
        effective_at=version.effective_at,
        currency=version.charge.plan.currency,
        breakdown=rules.breakdown_of(model=version.model, params=params),
    )
