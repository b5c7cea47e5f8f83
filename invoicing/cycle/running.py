"""Running periods that a policy lets be invoiced before their end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts.models import Customer
from core.periods import Period
from invoicing.cycle.models import BillingCycle, Invoice
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.terms import Terms
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import Plan, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.segments import PriceSegment
from metering.models import Meter

UNDECIDED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A period of a subscription around now, the policy that decides, and the cycle if an invoice stands on it."""

    due: DuePeriod
    policy: TriggerPolicy
    terms: Terms
    cycle: BillingCycle | None


def running_periods(*, customer_ids: Collection[int] | None, at: datetime) -> list[Running]:
    """Every running period that may be invoiced now: its customer is eligible, and no interim draft waits for anybody.

    In order of customers and subscriptions; a fixed number of statements.
    """
    deciding = _deciding(at=at)
    customers = Customer.objects.filter(program__in=deciding)
    if customer_ids is not None:
        customers = customers.filter(pk__in=customer_ids)
    eligible = {
        pk: deciding[program]
        for pk, code, program in customers.values_list("pk", "code", "program")
        if deciding[program][1].off_cycle.eligible.takes_customer(code)
    }
    owners = dict(Subscription.objects.filter(customer__in=eligible, starts_at__lt=at).values_list("pk", "customer_id"))
    cycles = _cycles_around(owners, at=at)
    terms = pricing_queries.terms_by_subscription(list(owners))
    found = []
    for subscription_id, own in terms.items():
        cycle, is_taken = cycles.get(subscription_id, (None, False))
        period = _period_around(own, cycle, at=at)
        if period is None or is_taken:
            continue
        policy, says = eligible[owners[subscription_id]]
        due = DuePeriod(subscription_id, owners[subscription_id], period)
        found.append(Running(due=due, policy=policy, terms=says, cycle=cycle))
    return sorted(found, key=lambda each: (each.due.customer_id, each.due.subscription_id))


def usage_segments(running: Sequence[Running], *, at: datetime) -> list[tuple[Running, PriceSegment]]:
    """What has begun of the eligible plans and product lines, whole segments; what has no meter waits for the close."""
    by_due = {each.due: each for each in running}
    segments = [
        segment
        for segment in pricing_segments.price_segments(list(by_due))
        if segment.meter_id is not None and segment.start < at
    ]
    plans = dict(Plan.objects.filter(pk__in={one.plan_id for one in segments}).values_list("pk", "code"))
    meters = dict(Meter.objects.filter(pk__in={one.meter_id for one in segments}).values_list("pk", "code"))
    return list(_eligible(segments, by_due=by_due, plans=plans, meters=meters))


def _eligible(
    segments: Sequence[PriceSegment],
    *,
    by_due: Mapping[DuePeriod, Running],
    plans: Mapping[int, str],
    meters: Mapping[int, str],
) -> Iterator[tuple[Running, PriceSegment]]:
    for segment in segments:
        running = by_due[DuePeriod(segment.subscription_id, segment.customer_id, segment.period)]
        eligible = running.terms.off_cycle.eligible
        if eligible.takes_plan(plans[segment.plan_id]) and eligible.takes_meter(meters[segment.meter_id or 0]):
            yield running, segment


def _deciding(*, at: datetime) -> dict[str, tuple[TriggerPolicy, Terms]]:
    """The policy in force of each program that invoices off the cycle at all."""
    programs = Customer.objects.values_list("program", flat=True).distinct()
    policies = policy_queries.policies_in_force(programs, at=at)
    read = {program: (policy, policy_terms.parse_terms(policy.terms)) for program, policy in policies.items()}
    return {program: (policy, terms) for program, (policy, terms) in read.items() if terms.bills_off_cycle}


def _cycles_around(subscription_ids: Collection[int], *, at: datetime) -> dict[int, tuple[BillingCycle, bool]]:
    """The cycle around now of each subscription that has one, and whether an invoice there is in the way."""
    closed = Q(kind=Invoice.Kind.CYCLE) & ~Q(status=Invoice.Status.DISCARDED)
    undecided = Q(kind=Invoice.Kind.INTERIM, status__in=UNDECIDED)
    in_the_way = Invoice.objects.filter(closed | undecided, cycle=OuterRef("pk"))
    around = BillingCycle.objects.filter(
        subscription__in=subscription_ids, period_start__lt=at, period_end__gt=at
    ).annotate(is_taken=Exists(in_the_way))
    return {cycle.subscription_id: (cycle, cycle.is_taken) for cycle in around}


def _period_around(terms: timeline.Terms, cycle: BillingCycle | None, *, at: datetime) -> Period | None:
    """The whole running period, as its close will have it; None before the subscription begins and after it ends."""
    if cycle is not None:
        return Period(cycle.period_start, cycle.period_end)
    if not terms.starts_at < at or (terms.ends_at is not None and terms.ends_at <= at):
        return None
    whole = timeline.whole_period(terms, instant=at)
    start = max(whole.start, terms.starts_at)
    end = whole.end if terms.ends_at is None else min(whole.end, terms.ends_at)
    return Period(start, end) if start < at else None
