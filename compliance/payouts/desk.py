"""The desk of those who decide gates: each check as it stands now, what waits for it, and what to take up first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from compliance.payouts import queries
from compliance.payouts.models import GateCheck
from compliance.payouts.rules import gates
from compliance.payouts.rules.gates import GateState
from core import money

# What stops money now comes before what will, and both before what somebody else has to move.
URGENCY = (
    GateState.NEEDS_REVIEW,
    GateState.EXPIRED,
    GateState.EXPIRING,
    GateState.PENDING,
    GateState.NOT_STARTED,
    GateState.SUSPENDED,
    GateState.REJECTED,
    GateState.APPROVED,
)
TO_DECIDE = URGENCY[:5]
QUEUE_ORDER = ("urgency", "expires_at", "-unpaid", "pk")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """One check at an instant."""

    check: GateCheck
    state: GateState
    days_left: int | None
    is_required: bool
    owed: tuple[tuple[str, Decimal], ...]

    @property
    def waiting(self) -> list[dict[str, str]]:
        """What is owed to the payee and waits for this gate, as plain text."""
        return [
            {"currency": currency, "amount": money.amount_text(amount, currency=currency)}
            for currency, amount in self.owed
        ]


def queue(*, at: datetime) -> QuerySet[GateCheck]:
    """All checks, the most urgent first: by state, then the sooner end, then the more payables that wait."""
    urgency = Case(
        *(When(queries.in_state(state, at=at), then=Value(rank)) for rank, state in enumerate(URGENCY)),
        output_field=IntegerField(),
    )
    unpaid = Count("payee__payables", filter=Q(payee__payables__payout=None, payee__payables__withdrawn_at=None))
    checks = GateCheck.objects.select_related("payee").annotate(urgency=urgency, unpaid=unpaid)
    return checks.order_by(*QUEUE_ORDER)


def states(found: Sequence[GateState], *, at: datetime) -> Q:
    """The condition under which a check is in one of these states now."""
    condition = Q(pk__in=[])
    for state in found:
        condition |= queries.in_state(state, at=at)
    return condition


def look_at(checks: Sequence[GateCheck], *, at: datetime) -> list[GateView]:
    """The checks as they stand now, in a fixed number of queries; `payee` has to be loaded."""
    payees = {check.payee_id: check.payee for check in checks}
    requirements = queries.requirements_in_force(payees.values(), at=at)
    waiting = queries.waiting_money(payees.keys())
    views = []
    for check in checks:
        requirement, owed = requirements[check.payee_id], waiting.get(check.payee_id)
        is_required = requirement is not None and check.kind in requirement.gates
        views.append(
            GateView(
                check=check,
                state=gates.state_at(stored=check.state, expires_at=check.expires_at, at=at),
                days_left=gates.days_left(expires_at=check.expires_at, at=at),
                is_required=is_required,
                owed=owed.amounts if owed and is_required else (),
            )
        )
    return views
