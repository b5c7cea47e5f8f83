"""Which periods are to be drafted: over by an instant, and not standing on an invoice yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Customer
from core import knowing
from core.errors import InvalidInputError
from core.periods import Period
from invoicing.cycle.models import BillingCycle, Invoice
from invoicing.cycle.rules import coverage
from invoicing.policy import queries as policy_queries
from invoicing.policy.rules import terms as policy_terms
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import Subscription
from invoicing.pricing.queries import DuePeriod

Cycles = Mapping[tuple[int, datetime], BillingCycle]


class UnknownCustomerError(InvalidInputError):
    """A customer was named that does not exist."""

    code = "unknown_customer"


def open_periods(*, as_of: datetime, customer_codes: Sequence[str] | None, at: datetime) -> list[DuePeriod]:
    """Periods that ended by then without a live invoice, customer by customer: never closed, or discarded since.

    A period waits for the grace that the policy in force `at` gives to usage on its way.
    """
    if customer_codes is not None:
        require_known(customer_codes)
    due = pricing_queries.due_periods(as_of=as_of, customer_codes=customer_codes)
    cycles = BillingCycle.objects.filter(period_end__lte=as_of)
    if customer_codes is not None:
        cycles = cycles.filter(customer__code__in=customer_codes)
    return _past_grace(_still_open(due, cycles=_read(cycles)), as_of=as_of, at=at)


def recheck(due: Sequence[DuePeriod]) -> tuple[list[DuePeriod], Cycles]:
    """Of these periods the ones that are still open, and the cycles that exist already; asked under the lock."""
    cycles = _read(BillingCycle.objects.filter(subscription__in={each.subscription_id for each in due}))
    wanted = set(due)
    by_start = {(cycle.subscription_id, cycle.period_start): cycle for cycle, _ in cycles}
    still_open = [each for each in _still_open(due, cycles=cycles) if each in wanted]
    return _as_far_as_it_goes(still_open, cycles=by_start), by_start


def _as_far_as_it_goes(due: Sequence[DuePeriod], *, cycles: Cycles) -> list[DuePeriod]:
    """Without what a subscription does not have any more, because an earlier end was agreed since these were listed."""
    ends = dict(Subscription.objects.filter(pk__in={each.subscription_id for each in due}).values_list("pk", "ends_at"))
    found = []
    for each in due:
        end = ends[each.subscription_id] or each.period.end
        if end >= each.period.end or (each.subscription_id, each.period.start) in cycles:
            found.append(each)
        elif each.period.start < end:
            found.append(replace(each, period=Period(each.period.start, end)))
    return found


def _past_grace(due: Sequence[DuePeriod], *, as_of: datetime, at: datetime) -> list[DuePeriod]:
    programs = dict(Customer.objects.filter(pk__in={each.customer_id for each in due}).values_list("pk", "program"))
    policies = policy_queries.policies_in_force(programs.values(), at=knowing.instant_or(at))
    waits = {program: policy_terms.grace_of(policy.terms) for program, policy in policies.items()}
    return [each for each in due if each.period.end + waits.get(programs[each.customer_id], timedelta()) <= as_of]


def require_known(codes: Sequence[str]) -> None:
    """UnknownCustomerError if one of the codes is nobody's."""
    known = set(Customer.objects.filter(code__in=codes).values_list("code", flat=True))
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise UnknownCustomerError(f"There is no customer {', '.join(unknown)}.")


def _read(cycles: QuerySet[BillingCycle]) -> list[tuple[BillingCycle, bool]]:
    """Cycles, each with whether an invoice of the whole period stands on it that was not discarded."""
    live = Invoice.objects.filter(~Q(status=Invoice.Status.DISCARDED), kind=Invoice.Kind.CYCLE, cycle=OuterRef("pk"))
    return [(cycle, cycle.is_live) for cycle in cycles.annotate(is_live=Exists(live))]


def _still_open(due: Sequence[DuePeriod], *, cycles: Sequence[tuple[BillingCycle, bool]]) -> list[DuePeriod]:
    closed: dict[int, list[Period]] = defaultdict(list)
    open_again = []
    for cycle, is_live in cycles:
        period = Period(cycle.period_start, cycle.period_end)
        closed[cycle.subscription_id].append(period)
        if not is_live:
            open_again.append(DuePeriod(cycle.subscription_id, cycle.customer_id, period))
    never_closed = [
        DuePeriod(each.subscription_id, each.customer_id, piece)
        for each in due
        for piece in coverage.uncovered(each.period, closed=closed[each.subscription_id])
    ]
    return sorted(open_again + never_closed, key=lambda each: (each.customer_id, each.subscription_id, each.period))
