"""From due periods to bills: the windows of each are counted, its segments rated, its late usage added."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from accounts.models import Customer
from core import knowing
from core.errors import DomainError
from invoicing.cycle import adjust, advance, agreements, deduct, late_policy, plan_lines
from invoicing.cycle.bills import Bill, CloseFailure, own_line
from invoicing.cycle.models import BillingCycle, Invoice
from invoicing.cycle.rules import parking
from invoicing.cycle.rules.agreed import NO_TERMS
from invoicing.cycle.taxes import TaxTable
from invoicing.policy import fitting
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.conventions import Conventions
from invoicing.pricing.models import Charge, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import plan_rates, rate
from metering import aggregate
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Watermark


class NotBillableError(DomainError):
    """Something that every invoice needs is missing for this customer."""

    code = "not_billable"


Cycles = Mapping[tuple[int, datetime], BillingCycle]


def open_bills(due: Sequence[DuePeriod], *, cycles: Cycles, at: datetime) -> tuple[list[Bill], list[CloseFailure]]:
    """An empty bill per period, and the periods that cannot be billed: without policy or tax rate, or half decided."""
    customers = Customer.objects.in_bulk({each.customer_id for each in due})
    zones = dict(
        Subscription.objects.filter(pk__in={each.subscription_id for each in due}).values_list("pk", "time_zone")
    )
    policies = policy_queries.policies_in_force((one.program for one in customers.values()), at=knowing.instant_or(at))
    table = TaxTable(customers.values())
    agreed = agreements.document_terms(due)
    waiting = deduct.undecided_interims(due)
    misfits = fitting.flaws_of(_conventions(due, customers, policies))
    bills, failures = [], []
    for each in due:
        customer = customers[each.customer_id]
        if each in waiting:
            failures.append(_interim_waits(customer, each, waiting[each]))
            continue
        if each in misfits:
            failures.append(CloseFailure(each, customer.code, parking.AGAINST_CONVENTION, misfits[each]))
            continue
        terms = table.terms(customer, period=each.period)
        policy = policies.get(customer.program)
        if policy is None or terms is None:
            failures.append(_no_policy(customer, each) if policy is None else _no_rate(customer, each))
            continue
        cycle = cycles.get((each.subscription_id, each.period.start)) or new_cycle(each, at=at)
        zone = zones[each.subscription_id]
        bills.append(
            Bill(
                due=each,
                cycle=cycle,
                customer=customer,
                zone=zone,
                policy=policy,
                taxes=terms,
                terms=agreed.get(each, NO_TERMS),
            )
        )
    return bills, failures


def fill_bills(bills: Sequence[Bill], *, watermark: Watermark, at: datetime) -> None:
    """Count and rate every segment of these bills, whatever their number, in a fixed number of statements.

    First what is rated by itself, then what earlier invoices turn out to have charged wrongly, then what plans charge
    for their other lines. What interim invoices billed of the period is taken off in the end.
    """
    carrying = late_policy.carrying(bills)
    late_lines = adjust.find_late_lines(carrying, watermark=watermark) if carrying else []
    known_at = knowing.instant_or(at)
    by_due = {bill.due: bill for bill in bills}
    billed = [(by_due[due], segment) for due, segment in advance.segments_to_bill(list(by_due))]
    plan_charges, billed = plan_lines.take_plan_charges(billed)
    segments = [segment for _, segment in billed]
    snapshots = _count_usage(segments, watermark=watermark, at=at)
    items = list(zip(segments, snapshots, strict=True))
    rated = rate.rate_segments(items, invoices=[id(bill) for bill, _ in billed], at=known_at)
    charges = Charge.objects.select_related("meter").in_bulk({segment.charge_id for segment in segments})
    for (bill, segment), snapshot, line in zip(billed, snapshots, rated, strict=True):
        bill.lines.append(own_line(bill, charge=charges[segment.charge_id], snapshot=snapshot, rated=line))
    adjust.add_adjustments(bills, late_lines=late_lines, watermark=watermark, at=at)
    plan_lines.add_plan_lines(plan_charges, rater=partial(plan_rates.rate_tasks, at=known_at))
    deduct.take_off(bills)
    for bill in bills:
        bill.lines.sort(key=lambda line: line.adjusts is not None)


def _count_usage(
    segments: Sequence[PriceSegment], *, watermark: Watermark, at: datetime
) -> list[AggregationSnapshot | None]:
    """A snapshot per metered segment, None per flat fee."""
    metered = [segment for segment in segments if segment.meter_id is not None]
    taken = iter(aggregate.take_snapshots([usage_window(one) for one in metered], watermark=watermark, at=at))
    return [None if segment.meter_id is None else next(taken) for segment in segments]


def usage_window(segment: PriceSegment) -> UsageWindow:
    """The window of events that a metered segment prices."""
    assert segment.meter_id is not None  # noqa: S101  flat fees are told apart by the callers
    return UsageWindow(
        segment.customer_id,
        segment.meter_id,
        segment.start,
        segment.end,
        period=(segment.whole.start, segment.whole.end),
        zone=segment.zone,
    )


def new_cycle(due: DuePeriod, *, at: datetime) -> BillingCycle:
    """The cycle of a period that was never closed, not written yet."""
    return BillingCycle(
        subscription_id=due.subscription_id,
        customer_id=due.customer_id,
        period_start=due.period.start,
        period_end=due.period.end,
        opened_at=at,
    )


def _conventions(
    due: Sequence[DuePeriod], customers: Mapping[int, Customer], policies: Mapping[str, TriggerPolicy]
) -> dict[DuePeriod, Conventions]:
    """What the policy in force says of the agreements behind each period, read once per policy."""
    said = {program: policy_terms.parse_terms(policy.terms).conventions for program, policy in policies.items()}
    programs = {each: customers[each.customer_id].program for each in due}
    return {each: said[program] for each, program in programs.items() if program in said}


def _interim_waits(customer: Customer, due: DuePeriod, invoice: Invoice) -> CloseFailure:
    reason = (
        f"The interim invoice of this period ({invoice}) is {invoice.status}: issue it or discard it, so that what it"
        " bills is taken off once."
    )
    return CloseFailure(due, customer.code, parking.INTERIM_UNDECIDED, reason)


def _no_policy(customer: Customer, due: DuePeriod) -> CloseFailure:
    reason = (
        f"No trigger policy decides over the program {customer.program}, so nothing is invoiced there. Propose one,"
        " have product, finance and ops sign it, and close again."
    )
    return CloseFailure(due, customer.code, parking.NO_POLICY, reason)


def _no_rate(customer: Customer, due: DuePeriod) -> CloseFailure:
    reason = (
        f"No tax rate {customer.tax_rate_code} is in force at the end of the period ({due.period.end:%Y-%m-%d %H:%M}"
        " UTC). Add one that is effective by then, or change the customer's tax rate code, and close again."
    )
    return CloseFailure(due, customer.code, parking.NO_TAX_RATE, reason)
