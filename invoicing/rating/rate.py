"""Rates segments: a quantity and the price in force become an exact amount, its steps, and one rounded line."""

from collections.abc import Generator, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from core import bulk, money
from core.errors import DomainError
from core.periods import Period
from invoicing.pricing.models import Charge, PlanVersion, Subscription
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.params import PLAN_MODELS
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import breakdowns, grounds, price_table, rules, together
from invoicing.rating.breakdowns import Asked, PartsMark, ReadUsage
from invoicing.rating.models import RatedLine
from invoicing.rating.price_table import Price
from invoicing.rating.rules import PlanLine, proration
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.proration import WHOLE, Share
from invoicing.rating.rules.steps import Computation, Step
from invoicing.rating.rules.usage import Breakdown, Part, Usage
from metering import queries as metering_queries
from metering.models import AggregationSnapshot

ONE = Decimal(1)  # what a fee and a charge of a whole plan measure
Item = tuple[PriceSegment, AggregationSnapshot | None]
NOTHING = Decimal(0)
ALONE = PlanVersion.RoundingLevel.LINE


class UnratableError(DomainError):
    """Some segments have no storable amount; `reasons` says whose and why, and nothing was written."""

    code = "unratable"
    http_status = 422

    def __init__(self, failures: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"subscription {pk}: {reason}" for pk, reason in failures[:5]))
        self.reasons = dict(failures)


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
    rounding_level: str = PlanVersion.RoundingLevel.LINE
    rounding: Decimal = NOTHING


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
class _Task:
    """A segment to be computed, by the share that it is of its period; a line that is rated anew keeps its own."""

    segment: PriceSegment
    snapshot: AggregationSnapshot | None
    share: Share | None = None
    before: RatedLine | None = None


def compute_segments(items: Sequence[Item], *, invoices: Sequence[Hashable] | None = None) -> list[Computed]:
    """The amounts of these segments, in their order; nothing is stored.

    `invoices` says of each on which invoice it will stand, where it may be rounded together with others.
    """
    computed = _compute_all([_Task(segment, snapshot) for segment, snapshot in items])
    if invoices is not None:
        for place, amount in together.round_lines(computed, invoices=invoices):
            one = computed[place]
            computed[place] = replace(one, amount=amount, rounding=amount - one.amount)
    return computed


def compute_usages(items: Sequence[tuple[PriceSegment, Usage]]) -> list[Computed]:
    """The amounts of usage that somebody else read, each with the parts that `breakdowns_of` asked for.

    For looking ahead by sums; what is billed was counted. The segments name no snapshot.
    """
    prices = price_table.find_prices((segment.price_version_id, segment.fee_version_id) for segment, _ in items)
    computed, failures = [], []
    for segment, usage in items:
        price = prices[segment.price_version_id, segment.fee_version_id]
        try:
            computed.append(_compute(_Task(segment, None), price=price, read=ReadUsage(usage)))
        except rules.UNPRICEABLE as error:
            failures.append((segment.subscription_id, error.message))
    if failures:
        raise UnratableError(failures)
    return computed


def breakdowns_of(segments: Sequence[PriceSegment]) -> list[Breakdown | None]:
    """The parts that the price of each segment asks for beside the quantity."""
    keys = [(segment.price_version_id, segment.fee_version_id) for segment in segments]
    prices = price_table.find_prices(keys)
    return [prices[key].breakdown for key in keys]


def included_quantities(segments: Sequence[PriceSegment]) -> list[Decimal]:
    """How many units of each metered segment cost nothing, by its share of the period; 0 where none are included."""
    prices = price_table.read_prices({segment.price_version_id for segment in segments})
    found = []
    for segment in segments:
        price = prices[segment.price_version_id]
        included = price_params.modifiers_of(price.params).included_quantity
        found.append(proration.share_of_quantity(included, share=_share(segment, price)) if included else Decimal(0))
    return found


def rate_segments(
    items: Sequence[Item], *, invoices: Sequence[Hashable] | None = None, at: datetime
) -> list[RatedLine]:
    """Rate and keep these segments, in their order: one line each, rounded half up once, in three queries."""
    return keep_lines(compute_segments(items, invoices=invoices), at=at)


def rate_so_far(items: Sequence[Item], *, until: datetime, at: datetime) -> list[RatedLine]:
    """Rate and keep what was used of these segments up to an instant, by what they include and limit as a whole.

    So the amounts of one segment never fall as time goes by, unless its usage does.
    """
    keys = [(segment.price_version_id, segment.fee_version_id) for segment, _ in items]
    prices = price_table.find_prices(keys)
    tasks = [
        _Task(
            replace(segment, end=min(segment.end, until), rounding_level=ALONE), snapshot, _share(segment, prices[key])
        )
        for key, (segment, snapshot) in zip(keys, items, strict=True)
    ]
    return keep_lines(_compute_all(tasks), at=at)


def rerate_lines(corrections: Sequence[tuple[RatedLine, AggregationSnapshot]], *, at: datetime) -> list[RatedLine]:
    """Rate what is known now of windows rated before, by the price of that time; whole amounts, not differences."""
    return _rerate([(line, snapshot, share_of(line)) for line, snapshot in corrections], at=at)


def rerate_fees(corrections: Sequence[tuple[RatedLine, Share]], *, at: datetime) -> list[RatedLine]:
    """Rate fees anew by the share of their period that they are due for, at the price of that time."""
    return _rerate([(line, None, share) for line, share in corrections], at=at)


def _rerate(
    corrections: Sequence[tuple[RatedLine, AggregationSnapshot | None, Share]], *, at: datetime
) -> list[RatedLine]:
    segments = segments_of([line for line, _, _ in corrections])
    tasks = [
        _Task(segment, snapshot, share, line)
        for segment, (line, snapshot, share) in zip(segments, corrections, strict=True)
    ]
    return keep_lines(_compute_all(tasks), at=at)


def _compute_all(tasks: Sequence[_Task]) -> list[Computed]:
    keys = [(task.segment.price_version_id, task.segment.fee_version_id) for task in tasks]
    prices = price_table.find_prices(keys)
    zones = _zones(
        task.segment.subscription_id for key, task in zip(keys, tasks, strict=True) if prices[key].breakdown is not None
    )
    asked = [
        Asked(task.snapshot, prices[key].breakdown, zones.get(task.segment.subscription_id, ""))
        for key, task in zip(keys, tasks, strict=True)
    ]
    computed: dict[int, Computed] = {}
    failures = []
    for place, read in breakdowns.read_usages(asked):
        task = tasks[place]
        try:
            computed[place] = _compute(task, price=prices[keys[place]], read=read)
        except rules.UNPRICEABLE as error:
            failures.append((task.segment.subscription_id, error.message))
    if failures:
        raise UnratableError(failures)
    return [computed[place] for place in range(len(tasks))]


def keep_lines(computed: Sequence[Computed], *, at: datetime) -> list[RatedLine]:
    """Write these amounts down, one line each, in their order."""
    lines = [_line(each, at=at) for each in computed]
    with transaction.atomic():
        bulk.insert_rows(lines)
    return lines


def recompute(line: RatedLine) -> Recomputed:
    """The amount again, from the quantity, share and price version that the line names, and its parts recounted."""
    return recompute_lines([line])[0]


def recompute_lines(
    lines: Sequence[RatedLine], *, invoices: Sequence[Hashable | None] | None = None
) -> list[Recomputed]:
    """The same for many, in a fixed number of statements; parts are read by other SQL than gave them first.

    With `invoices`, lines that are rounded together there are so again; without, by what each keeps of it.
    """
    keys = [(line.price_version_id, line.fee_version_id) for line in lines]
    keyed = list(zip(keys, lines, strict=True))
    prices = price_table.find_prices(keys)
    zones = _zones(line.subscription_id for key, line in keyed if prices[key].breakdown is not None)
    asked = [Asked(line.snapshot, prices[key].breakdown, zones.get(line.subscription_id, "")) for key, line in keyed]
    standing = [line.pk for key, line in keyed if prices[key].model in PLAN_MODELS]
    plan_lines = grounds.read_grounds(standing) if standing else {}
    found: dict[int, Recomputed] = {}
    for place, read in breakdowns.read_usages(asked, reader=metering_queries.recount_parts):
        line = lines[place]
        price = prices[keys[place]]
        found[place] = _recompute(line, price=price, read=read, others=plan_lines.get(line.pk, ()))
    again = [found[place] for place in range(len(lines))]
    if invoices is not None:
        for place, amount in together.round_again(lines, [one.amount_exact for one in again], invoices=invoices):
            again[place] = replace(again[place], amount=amount)
    return again


def iterate_parts(line: RatedLine) -> Generator[Part]:
    """The parts that the price of a stored line asks for, split from the stored events; none for most prices."""
    price = price_table.read_prices({line.price_version_id})[line.price_version_id]
    if line.snapshot is not None and price.breakdown is not None:
        zone = _zones([line.subscription_id])[line.subscription_id]
        yield from breakdowns.iterate_parts(line.snapshot, breakdown=price.breakdown, zone=zone)


def _recompute(line: RatedLine, *, price: Price, read: ReadUsage, others: Sequence[PlanLine]) -> Recomputed:
    share = share_of(line)
    if price.model in PLAN_MODELS:
        computation = rules.compute_plan(
            model=price.model, params=price.params, lines=others, currency=line.currency, share=share
        )
    else:
        usage = replace(read.usage, quantity=line.quantity)
        computation = _computation(price, usage=usage, share=share, is_fee=line.snapshot_id is None)
    amount = money.round_amount(computation.amount_exact, currency=line.currency) + line.rounding
    return Recomputed(amount, computation.amount_exact, computation.steps, read.mark())


def share_of(line: RatedLine) -> Share:
    """The share of its billing period that a line was rated for."""
    return Share(line.share_part, line.share_whole, line.share_unit)


def _zones(subscription_ids: Iterable[int]) -> dict[int, str]:
    """Where the days of each subscription begin; fixed for ever with it."""
    ids = set(subscription_ids)
    return dict(Subscription.objects.filter(pk__in=ids).values_list("pk", "time_zone")) if ids else {}


def segments_of(lines: Sequence[RatedLine]) -> list[PriceSegment]:
    """The segments of rated lines; these know their shares of the period, so it is not asked for again."""
    charges = Charge.objects.in_bulk({line.charge_id for line in lines})
    return [_again(line, charge=charges[line.charge_id]) for line in lines]


def _again(line: RatedLine, *, charge: Charge) -> PriceSegment:
    segment = Period(line.segment_start, line.segment_end)
    return PriceSegment(
        subscription_id=line.subscription_id,
        customer_id=line.subscription.customer_id,
        period=segment,
        charge_id=line.charge_id,
        plan_id=charge.plan_id,
        meter_id=charge.meter_id,
        plan_version_id=line.plan_version_id,
        price_version_id=line.price_version_id,
        fee_version_id=line.fee_version_id,
        start=segment.start,
        end=segment.end,
        whole=segment,
        ends_at=None,
        zone="UTC",
        proration_unit="second",
        proration_zone="UTC",
        rounding_level=line.rounding_level,
        quantity=line.quantity if charge.meter_id is None else ONE,
    )


def _compute(task: _Task, *, price: Price, read: ReadUsage) -> Computed:
    segment = task.segment
    share = task.share or _share(segment, price)
    is_fee = segment.meter_id is None
    usage = Usage(segment.quantity) if is_fee else read.usage
    computation = _computation(price, usage=usage, share=share, is_fee=is_fee)
    kept = _kept_rounding(task, exact=computation.amount_exact)
    return Computed(
        segment=segment,
        snapshot=task.snapshot,
        effective_at=price.effective_at,
        quantity=usage.quantity,
        share=share,
        currency=price.currency,
        computation=computation,
        amount=money.round_amount(computation.amount_exact, currency=price.currency) + kept,
        parts=read.mark(),
        rounding_level=segment.rounding_level,
        rounding=kept,
    )


def _kept_rounding(task: _Task, *, exact: Decimal) -> Decimal:
    """A line that comes to the same as before keeps what rounding together gave it; any other is rounded by itself."""
    return task.before.rounding if task.before is not None and task.before.amount_exact == exact else NOTHING


def _computation(price: Price, *, usage: Usage, share: Share, is_fee: bool) -> Computation:
    compute = rules.compute_counted if is_fee else rules.compute
    return compute(model=price.model, params=price.params, usage=usage, share=share, currency=price.currency)


def _share(segment: PriceSegment, price: Price) -> Share:
    """A fee, and what is included in a price or limits it, is divided by time; usage itself never is."""
    if isinstance(price.params, PricedProgram):
        return WHOLE
    is_fee = segment.meter_id is None and price.model not in PLAN_MODELS
    return share_of_segment(segment) if is_fee or price_params.follows_share(price.params) else WHOLE


def share_of_segment(segment: PriceSegment) -> Share:
    """The share of its billing period, from boundary to boundary."""
    return proration.share_of_segment(
        segment=Period(segment.start, segment.end),
        ends_at=segment.ends_at,
        whole=segment.whole,
        unit=segment.proration_unit,
        zone=segment.proration_zone,
    )


def _line(computed: Computed, *, at: datetime) -> RatedLine:
    segment = computed.segment
    return bulk.new_row(
        RatedLine,
        subscription_id=segment.subscription_id,
        charge_id=segment.charge_id,
        plan_version_id=segment.plan_version_id,
        price_version_id=segment.price_version_id,
        fee_version_id=segment.fee_version_id,
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
        rounding_level=computed.rounding_level,
        rounding=computed.rounding,
        rated_at=at,
    )
