"""What other rooms read of exposures: rows, never how they are made."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Customer
from invoicing.exposure.models import Exposure, ProgramCost


def exposures_of(customer: Customer) -> QuerySet[Exposure]:
    """The exposures of one customer, by currency."""
    return Exposure.objects.filter(customer=customer).order_by("currency")


def exposures_in(programs: Sequence[str]) -> QuerySet[Exposure]:
    """The exposures of everybody whose policy is that of one of these programs."""
    return Exposure.objects.filter(customer__program__in=programs).select_related("customer").order_by("pk")


def running_costs(programs: Sequence[str], *, at: datetime) -> QuerySet[ProgramCost]:
    """What fee programs will have cost, for the periods that run at this instant."""
    found = ProgramCost.objects.filter(customer__program__in=programs, period_start__lte=at, period_end__gt=at)
    return found.select_related("customer", "program").order_by("pk")
