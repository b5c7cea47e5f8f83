"""What other rooms read of exposures: rows, never how they are made."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import Customer
from invoicing.exposure.models import Exposure, ProgramCost


def exposures_of(customer: Customer) -> QuerySet[Exposure]:
    """The exposures of one customer, by currency."""
    return Exposure.objects.filter(customer=customer).order_by("currency")


def exposures_in(programs: Sequence[str], *, since: datetime | None) -> QuerySet[Exposure]:
    """The exposures under these programs' policies that were made since then, or all of them."""
    found = Exposure.objects.filter(customer__program__in=programs)
    if since is not None:
        found = found.filter(as_of__gte=since)
    return found.select_related("customer").order_by("pk")


def running_costs(programs: Sequence[str], *, since: datetime | None, at: datetime) -> QuerySet[ProgramCost]:
    """What fee programs will have cost in the periods that run at this instant, as projected since then, or all."""
    found = ProgramCost.objects.filter(customer__program__in=programs, period_start__lte=at, period_end__gt=at)
    if since is not None:
        found = found.filter(as_of__gte=since)
    return found.select_related("customer", "program").order_by("pk")
