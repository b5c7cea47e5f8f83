"""Rates the same periods twice, as agreed and as supposed; nothing of it is kept."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from core.errors import DomainError
from invoicing.pricing import segments
from invoicing.pricing.models import Charge
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment, Supposed
from invoicing.rating import plan_rates, rate
from invoicing.rating.models import RatedLine
from invoicing.rating.plan_rates import PlanTask
from invoicing.rating.rate import Computed
from metering import aggregate
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot


@dataclass(frozen=True, slots=True)
class Compared:
    """One period of one subscription: sums of rounded lines before tax, or why there are none."""

    due: DuePeriod
    old: Decimal | None
    new: Decimal | None
    problem: str = ""


def compare_periods(due: Sequence[DuePeriod], *, supposed: Supposed, at: datetime) -> list[Compared]:
    """What these periods cost and would have cost, of usage as it is known now; one period per subscription.

    The number of statements does not grow with the periods. Periods that cannot be rated are named, each by itself.
    It waits for captures in flight, so call it outside a transaction.
    """
    try:
        return _compare(due, supposed=supposed, at=at)
    except DomainError as error:
        if len(due) == 1:
            return [Compared(due[0], None, None, error.message)]
    middle = len(due) // 2
    return [
        *compare_periods(due[:middle], supposed=supposed, at=at),
        *compare_periods(due[middle:], supposed=supposed, at=at),
    ]


def _compare(due: Sequence[DuePeriod], *, supposed: Supposed, at: datetime) -> list[Compared]:
    agreed, changed = segments.price_segments(due), segments.price_segments(due, supposed=supposed)
    counted = _count([*agreed, *changed], at=at)
    old, new = _sums(agreed, counted), _sums(changed, counted)
    zero = Decimal(0)
    return [Compared(each, old.get(each.subscription_id, zero), new.get(each.subscription_id, zero)) for each in due]


def _count(found: Sequence[PriceSegment], *, at: datetime) -> dict[UsageWindow, AggregationSnapshot]:
    windows = sorted({window for segment in found if (window := _window(segment)) is not None}, key=str)
    return dict(zip(windows, aggregate.preview_snapshots(windows, at=at), strict=True)) if windows else {}


def _window(segment: PriceSegment) -> UsageWindow | None:
    if segment.meter_id is None:
        return None
    return UsageWindow(segment.customer_id, segment.meter_id, segment.start, segment.end)


def _sums(found: Sequence[PriceSegment], counted: dict[UsageWindow, AggregationSnapshot]) -> dict[int, Decimal]:
    """By subscription: what each charge comes to, then what the plan charges for these lines."""
    models = plan_rates.models_of(sorted({one.price_version_id for one in found if one.meter_id is None}))
    rated = [one for one in found if one.price_version_id not in models]
    items = [(one, None if (window := _window(one)) is None else counted[window]) for one in rated]
    lines: dict[int, list[Computed]] = defaultdict(list)
    for computed in rate.compute_segments(items, invoices=[one.subscription_id for one in rated]):
        lines[computed.segment.subscription_id].append(computed)
    of_plans = _by_charge([one for one in found if one.price_version_id in models])
    codes = dict(Charge.objects.filter(pk__in={one.charge_id for one in found}).values_list("pk", "code"))
    for model in plan_rates.ORDER:
        here = [parts for parts in of_plans if models[parts[-1].price_version_id] == model]
        tasks = [_task(parts, lines[parts[-1].subscription_id], codes=codes) for parts in here]
        for computed in plan_rates.compute_tasks(tasks) if tasks else ():
            lines[computed.segment.subscription_id].append(computed)
    return {pk: sum((line.amount for line in own), Decimal(0)) for pk, own in lines.items()}


def _by_charge(found: Sequence[PriceSegment]) -> list[list[PriceSegment]]:
    """The segments of each charge of a whole plan, in order of time."""
    charges: dict[tuple[int, int], list[PriceSegment]] = defaultdict(list)
    for segment in found:
        charges[segment.subscription_id, segment.charge_id].append(segment)
    return list(charges.values())


def _task(parts: Sequence[PriceSegment], lines: Sequence[Computed], *, codes: dict[int, str]) -> PlanTask:
    """One line in the last part, for the whole stay, over the lines of its plan so far; as a close does it."""
    last = parts[-1]
    shares = [rate.share_of_segment(part) for part in parts]
    share = replace(shares[-1], part=sum(one.part for one in shares if one.whole == shares[-1].whole))
    own = [line for line in lines if line.segment.plan_id == last.plan_id]
    return PlanTask(last, share, [(codes[line.segment.charge_id], RatedLine(amount=line.amount)) for line in own])
