"""Which policy decides for whom, and what waits for whose signature."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q

from accounts.models import Customer
from invoicing.policy.models import TriggerPolicy


def policies_in_force(programs: Iterable[str], *, at: datetime) -> dict[str, TriggerPolicy]:
    """The signed version of each program that began last; programs without one are left out.

    A version counts from its instant, or from its last signature where that came later. One that was signed ahead has
    to have begun (`begin.py`): it lapses where a signer has lost the role by then.
    """
    begun = TriggerPolicy.objects.filter(
        Q(effective_at__lte=F("decided_at")) | Q(beginning__holds=True),
        program__in=set(programs),
        status=TriggerPolicy.Status.SIGNED,
        effective_at__lte=at,
        decided_at__lte=at,
    )
    return {policy.program: policy for policy in begun.order_by("effective_at", "version")}


def policy_of(customer: Customer, *, at: datetime) -> TriggerPolicy | None:
    """The policy that decides over this customer's invoices now."""
    return policies_in_force([customer.program], at=at).get(customer.program)


def programs_without_policy(*, at: datetime) -> list[str]:
    """Programs that customers belong to and no signed policy decides for: nothing is invoiced there."""
    programs = set(Customer.objects.values_list("program", flat=True).distinct())
    return sorted(programs - policies_in_force(programs, at=at).keys())
