"""Hold exposures that changed against the amounts at which a policy wants an invoice; whoever reached one is drafted.

Exposures say who, from sums of usage; only for them the cycle counts, and decides by what it counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from accounts.models import Customer
from invoicing.cycle import interim, off_cycle
from invoicing.cycle.models import InterimFiring
from invoicing.cycle.off_cycle import Asked, OffCycleReport
from invoicing.exposure import queries as exposure_queries
from invoicing.exposure.models import Exposure
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.terms import Terms
from invoicing.pricing.models import Charge

OVERLAP = timedelta(minutes=5)  # a row is dated when its round begins and seen when it commits
BY_EXPOSURE = "exposure"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reached:
    """Customers, by id: those whose usage reached an amount, and by currency those whose exposure did."""

    by_usage: set[int] = field(default_factory=set)
    by_exposure: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


@dataclass(frozen=True, slots=True, kw_only=True)
class _UsedLine:
    """What an exposure says of one charge of a running period."""

    customer_id: int
    subscription_id: int
    charge_id: int
    start: str
    currency: str
    amount: Decimal


def evaluate_triggers(*, at: datetime) -> OffCycleReport:
    """Draft an interim invoice for everybody who reached an amount since the exposures were last looked at."""
    reached = find_reached(at=at)
    whole = OffCycleReport()
    if reached.by_usage:
        whole.add(off_cycle.draft_interims(customer_ids=sorted(reached.by_usage), at=at))
    for currency, customers in sorted(reached.by_exposure.items()):
        asked = Asked(by=BY_EXPOSURE, currency=currency)
        whole.add(off_cycle.draft_interims(customer_ids=sorted(customers), asked=asked, at=at))
    for subscription_id, reason in whole.failed:
        log.warning("interim_not_drafted", subscription_id=subscription_id, reason=reason)
    return whole


def find_reached(*, at: datetime) -> Reached:
    """Who reached an amount of the policy in force, by rows of exposures that changed; all rows of a new policy."""
    reached = Reached()
    for policy, terms in _deciding(at=at):
        begun = max(policy.effective_at, policy.decided_at or policy.effective_at)
        since = at - OVERLAP
        rows = list(exposure_queries.exposures_in([policy.program], since=None if begun >= since else since))
        _find_by_usage(rows, terms, reached=reached, at=at)
        _find_by_exposure(rows, terms, reached=reached, at=at)
    return reached


def _deciding(*, at: datetime) -> Iterator[tuple[TriggerPolicy, Terms]]:
    programs = Customer.objects.order_by().values_list("program", flat=True).distinct()
    for policy in policy_queries.policies_in_force(programs, at=at).values():
        terms = policy_terms.parse_terms(policy.terms)
        if terms.bills_off_cycle:
            yield policy, terms


def _find_by_usage(rows: Sequence[Exposure], terms: Terms, *, reached: Reached, at: datetime) -> None:
    """Whose usage since the last interim draft came to the amount; only those near it are looked up."""
    amounts = {one.currency: one.amount for one in terms.off_cycle.triggers}
    lines = {line for row in rows if row.currency in amounts for line in _eligible_lines(row, terms)}
    plans = _plans_of(lines)
    used: dict[tuple[int, int, str], dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in lines:
        if terms.off_cycle.eligible.takes_plan(plans[line.charge_id]):
            used[line.customer_id, line.subscription_id, line.currency][line.charge_id] += line.amount
    near = {owner: charges for owner, charges in used.items() if sum(charges.values()) >= amounts[owner[2]]}
    before = interim.drafted_before_of({subscription_id for _, subscription_id, _ in near}, at=at)
    for (customer_id, subscription_id, currency), charges in near.items():
        earlier = before.get(subscription_id, {})
        if sum(amount - earlier.get(charge, 0) for charge, amount in charges.items()) >= amounts[currency]:
            reached.by_usage.add(customer_id)


def _find_by_exposure(rows: Sequence[Exposure], terms: Terms, *, reached: Reached, at: datetime) -> None:
    """Where the policy bills upon credit exposure: whose total reached the amount, once in a period."""
    amounts = {one.currency: one.amount for one in terms.charge_controls if one.action == "interim_bill"}
    beyond = [row for row in rows if row.currency in amounts and row.total >= amounts[row.currency]]
    fired = InterimFiring.objects.filter(
        cause=InterimFiring.Cause.CREDIT_EXPOSURE,
        cycle__customer__in={row.customer_id for row in beyond},
        cycle__period_end__gt=at,
    )
    done = set(fired.values_list("cycle__customer", "currency"))
    for row in beyond:
        if (row.customer_id, row.currency) not in done and any(_eligible_lines(row, terms)):
            reached.by_exposure[row.currency].add(row.customer_id)


def _eligible_lines(row: Exposure, terms: Terms) -> Iterator[_UsedLine]:
    """Usage of running periods, of eligible customers and product lines; plans are asked for later."""
    eligible = terms.off_cycle.eligible
    if not eligible.takes_customer(row.customer.code):
        return
    for bill in row.inputs["bills"]:
        lines: list[dict[str, Any]] = bill["lines"] if bill["is_running"] else []
        for line in lines:
            if line.get("meter") is not None and eligible.takes_meter(line["meter"]):
                yield _UsedLine(
                    customer_id=row.customer_id,
                    subscription_id=bill["subscription"],
                    charge_id=line["charge_id"],
                    start=line["start"],
                    currency=row.currency,
                    amount=Decimal(line["rated"]),
                )


def _plans_of(lines: Iterable[_UsedLine]) -> Mapping[int, str]:
    charges = {line.charge_id for line in lines}
    return dict(Charge.objects.filter(pk__in=charges).values_list("pk", "plan__code"))
