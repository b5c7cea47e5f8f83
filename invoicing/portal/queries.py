"""What the portal reads, always of one customer: what is running now, and final invoices."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from accounts.models import Customer
from core.periods import Period
from invoicing.cycle.models import Invoice
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import Subscription, SubscriptionPhase
from invoicing.pricing.rules import timeline
from metering.models import Meter


@dataclass(frozen=True, slots=True)
class Running:
    """A billing period that is not over yet: its plans in order of time, and the meters they charge for."""

    period: Period
    zone: str
    plans: tuple[str, ...]
    meters: tuple[Meter, ...]


def final_invoices(customer: Customer) -> QuerySet[Invoice]:
    """Drafts, held and discarded ones are nobody's business outside."""
    return Invoice.objects.filter(customer=customer, status=Invoice.Status.FINAL).order_by("-finalized_at", "-pk")


def running_periods(customer: Customer, *, at: datetime) -> list[Running]:
    """The billing periods around `at`; subscriptions with the same period share one."""
    active = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), customer=customer, starts_at__lte=at)
    terms = pricing_queries.terms_by_subscription([subscription.pk for subscription in active])
    by_period: dict[tuple[Period, str], list[int]] = {}
    for subscription_id, each in sorted(terms.items()):
        whole = timeline.whole_period(each, instant=at)
        end = whole.end if each.ends_at is None else min(whole.end, each.ends_at)
        by_period.setdefault((Period(max(whole.start, each.starts_at), end), each.zone), []).append(subscription_id)
    return [_running(period, zone, ids) for (period, zone), ids in sorted(by_period.items())]


def _running(period: Period, zone: str, subscription_ids: list[int]) -> Running:
    phases = (
        SubscriptionPhase.objects.filter(Q(ends_at=None) | Q(ends_at__gt=period.start))
        .filter(subscription__in=subscription_ids, starts_at__lt=period.end)
        .order_by("starts_at", "pk")
    )
    names = phases.values_list("plan__name", flat=True)
    meters = Meter.objects.filter(charges__plan__phases__in=phases).annotate(place=F("charges__pk")).order_by("place")
    return Running(
        period=period,
        zone=zone,
        plans=tuple(dict.fromkeys(names)),
        meters=tuple({meter.pk: meter for meter in meters}.values()),
    )
