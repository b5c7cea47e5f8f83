"""The second pass of a close: what a plan charges for its other lines in the period, each as a line of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from invoicing.cycle import advance
from invoicing.cycle.advance import Earlier
from invoicing.cycle.bills import Bill, own_line
from invoicing.pricing.models import Charge
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import plan_rates, rate
from invoicing.rating.grounds import Grounds
from invoicing.rating.models import RatedLine
from invoicing.rating.plan_rates import PlanTask
from invoicing.rating.rules.proration import Share

# Limits look at what the period comes to; a discount and credits at what the invoice bills.
LIMITS = "commitment"
Rater = Callable[[Sequence[PlanTask]], list[RatedLine]]


@dataclass(slots=True)
class PlanCharge:
    """A charge of a whole plan on one bill, with its segments in the period, in order of time."""

    bill: Bill
    model: str
    segments: list[PriceSegment] = field(default_factory=list)

    @property
    def last(self) -> PriceSegment:
        return self.segments[-1]


def take_plan_charges(
    billed: Sequence[tuple[Bill, PriceSegment]],
) -> tuple[list[PlanCharge], list[tuple[Bill, PriceSegment]]]:
    """Tell the charges of whole plans from what is rated by itself."""
    fees = {segment.price_version_id for _, segment in billed if segment.meter_id is None}
    models = plan_rates.models_of(sorted(fees))
    charges: dict[tuple[int, int], PlanCharge] = {}
    rest = []
    for bill, segment in billed:
        if segment.price_version_id in models:
            key = id(bill), segment.charge_id
            model = models[segment.price_version_id]
            charge = charges.setdefault(key, PlanCharge(bill, model))
            charge.model = model
            charge.segments.append(segment)
        else:
            rest.append((bill, segment))
    return list(charges.values()), rest


def add_plan_lines(charges: Sequence[PlanCharge], *, rater: Rater) -> None:
    """Rate these charges over the lines that their bills have by now, and add them.

    A charge gives one line, in the last part of the period that its plan holds for, by the price in force there and for
    its whole stay. Discounts come first, then limits, then credits; each sees the lines of those before it.
    """
    if not charges:
        return
    named = Charge.objects.in_bulk({charge.last.charge_id for charge in charges})
    earlier = advance.billed_earlier([charge.bill.due for charge in charges if charge.model == LIMITS])
    for model in plan_rates.ORDER:
        here = [charge for charge in charges if charge.model == model]
        tasks = [PlanTask(each.last, _share(each.segments), _grounds(each, earlier=earlier)) for each in here]
        for each, line in zip(here, rater(tasks) if tasks else (), strict=True):
            charge = named[each.last.charge_id]
            each.bill.lines.append(own_line(each.bill, charge=charge, snapshot=None, rated=line))


def _grounds(charge: PlanCharge, *, earlier: Mapping[DuePeriod, Sequence[Earlier]]) -> Grounds:
    """What the charge rates: the lines of its plan on the bill, in their order.

    Limits are of the period: they leave out the fees in advance of the next one, and count those of this one that an
    earlier invoice billed, as they stand now.
    """
    bill, plan_id = charge.bill, charge.last.plan_id
    own = [line for line in bill.lines if line.adjusts is None and line.charge.plan_id == plan_id]
    if charge.model != LIMITS:
        return [(line.charge.code, line.rated) for line in own]
    corrected = {line.adjusts.pk: line.rated for line in bill.lines if line.adjusts is not None}
    before = [
        (one.line.rated_line.charge.code, corrected.get(one.line.pk, one.rated))
        for one in earlier.get(bill.due, ())
        if one.line.rated_line.charge.plan_id == plan_id
    ]
    return [*before, *((line.charge.code, line.rated) for line in own if line.rated.segment_start < bill.period.end)]


def _share(segments: Sequence[PriceSegment]) -> Share:
    """The share of the period that the plan holds for, in one stay or several."""
    shares = [rate.share_of_segment(segment) for segment in segments]
    return replace(shares[-1], part=sum(share.part for share in shares if share.whole == shares[-1].whole))
