"""Rates what a plan charges for its other lines: discounts, the least and the most they come to, credits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core import money
from invoicing.pricing.models import PriceVersion
from invoicing.pricing.rules.params import PLAN_MODELS
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import grounds as line_grounds
from invoicing.rating import price_table, rate, rules
from invoicing.rating.grounds import Grounds
from invoicing.rating.models import RatedLine
from invoicing.rating.price_table import Price
from invoicing.rating.rate import Computed
from invoicing.rating.rules import plan
from invoicing.rating.rules.proration import Share

ORDER = plan.ORDER


@dataclass(frozen=True, slots=True)
class PlanTask:
    """A charge of a whole plan in a period: its segment, its share of the period, and the lines it stands on."""

    segment: PriceSegment
    share: Share
    grounds: Grounds


def models_of(price_version_ids: Sequence[int]) -> dict[int, str]:
    """Which of these prices rate the plan's other lines, and how."""
    prices = PriceVersion.objects.filter(pk__in=price_version_ids, model__in=PLAN_MODELS)
    return dict(prices.values_list("pk", "model"))


def compute_tasks(tasks: Sequence[PlanTask]) -> list[Computed]:
    """The amounts of these charges, in their order; nothing is stored."""
    prices = price_table.read_prices({task.segment.price_version_id for task in tasks})
    return [_compute(task, price=prices[task.segment.price_version_id]) for task in tasks]


def rate_tasks(tasks: Sequence[PlanTask], *, at: datetime) -> list[RatedLine]:
    """Rate and keep these charges, one line each, with what they stand on."""
    with transaction.atomic():
        lines = rate.keep_lines(compute_tasks(tasks), at=at)
        line_grounds.keep_grounds(zip(lines, (task.grounds for task in tasks), strict=True))
    return lines


def tasks_again(corrections: Sequence[tuple[RatedLine, Grounds]]) -> list[PlanTask]:
    """What rates these lines anew over what their grounds come to now, by the price and share of then."""
    segments = rate.segments_of([line for line, _ in corrections])
    return [
        PlanTask(segment, rate.share_of(line), grounds)
        for segment, (line, grounds) in zip(segments, corrections, strict=True)
    ]


def _compute(task: PlanTask, *, price: Price) -> Computed:
    computation = rules.compute_plan(
        model=price.model,
        params=price.params,
        lines=line_grounds.plan_lines(task.grounds),
        currency=price.currency,
        share=task.share,
    )
    return Computed(
        segment=task.segment,
        snapshot=None,
        effective_at=price.effective_at,
        quantity=rate.ONE,
        share=task.share,
        currency=price.currency,
        computation=computation,
        amount=money.round_amount(computation.amount_exact, currency=price.currency),
        parts=None,
    )
