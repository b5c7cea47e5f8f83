"""What is asked of charge controls: may this customer use more, why, by whose decision, and on which figures."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Customer
from invoicing.charge_controls import access, limits
from invoicing.charge_controls.models import AccessChange, AccessState
from invoicing.charge_controls.rules import lines, wording
from invoicing.exposure import queries as exposure_queries
from invoicing.exposure.models import Exposure
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """An exposure, and the lowest line at which usage is held; None where the policy draws none."""

    exposure: Exposure
    holds_at: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The answer: `policy` is the version that decided, or the one in force where nothing was decided."""

    customer: Customer
    status: str
    reason: str
    since: datetime | None
    change: AccessChange | None
    policy: TriggerPolicy | None
    lines: tuple[CreditLine, ...]

    @property
    def is_held(self) -> bool:
        return self.status == access.HELD

    @property
    def as_of(self) -> datetime | None:
        """The oldest of the figures."""
        return min((line.exposure.as_of for line in self.lines), default=None)


def access_of(customer: Customer, *, at: datetime) -> Access:
    """Ask for one customer, in a fixed number of short statements."""
    state = AccessState.objects.filter(customer=customer).first()
    change = None if state is None else _last_change(state)
    in_force = policy_queries.policy_of(customer, at=at)
    decided = change.policy if change is not None and change.policy is not None else in_force
    return Access(
        customer=customer,
        status=access.ALLOWED if state is None else state.status,
        reason=wording.NEVER_HELD if state is None else state.reason,
        since=None if state is None else state.changed_at,
        change=change,
        policy=decided,
        lines=_lines(customer, in_force),
    )


def _last_change(state: AccessState) -> AccessChange | None:
    changes = AccessChange.objects.select_related("policy", "firing", "actor")
    return changes.filter(customer=state.customer_id, revision=state.revision).first()


def _lines(customer: Customer, policy: TriggerPolicy | None) -> tuple[CreditLine, ...]:
    controls = () if policy is None else policy_terms.parse_terms(policy.terms).charge_controls
    agreed: Any = limits.limits_of([customer.pk])
    found = []
    for row in exposure_queries.exposures_of(customer):
        amounts = [
            lines.line_of(control, agreed=agreed.get((customer.pk, row.currency))).amount
            for control in controls
            if control.action == "hold_usage" and control.currency == row.currency
        ]
        found.append(CreditLine(exposure=row, holds_at=min(amounts, default=None)))
    return tuple(found)
