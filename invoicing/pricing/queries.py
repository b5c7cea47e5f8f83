"""What other rooms ask of pricing: which periods are due, and which tax rate is in force."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from core.periods import Interval, Period
from invoicing.pricing.models import Subscription, SubscriptionPhase, TaxRate
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Stretch, Terms


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """A billing period of a subscription that is over."""

    subscription_id: int
    customer_id: int
    period: Period


def due_periods(*, as_of: datetime, customer_codes: Sequence[str] | None = None) -> list[DuePeriod]:
    """Every billing period that ended by `as_of`, of all customers or of those named, by subscription and time.

    It knows nothing of cycles: a period stays due when it has been billed.
    """
    begun = SubscriptionPhase.objects.filter(subscription__starts_at__lt=as_of)
    if customer_codes is not None:
        begun = begun.filter(subscription__customer__code__in=customer_codes)
    return [
        DuePeriod(subscription_id, customer_id, period)
        for subscription_id, customer_id, terms in _read_terms(begun)
        for period in timeline.ended_periods(terms, as_of=as_of)
    ]


def last_closed_periods(*, plan_id: int, as_of: datetime) -> list[DuePeriod]:
    """The latest billing period that was over at `as_of` of every subscription that was on the plan in it."""
    on_plan = SubscriptionPhase.objects.filter(plan=plan_id, starts_at__lt=as_of)
    stays: dict[int, list[Stretch]] = defaultdict(list)
    for subscription_id, starts_at, ends_at in on_plan.values_list("subscription_id", "starts_at", "ends_at"):
        stays[subscription_id].append(Stretch(plan_id, starts_at, ends_at))
    found = []
    phases = SubscriptionPhase.objects.filter(subscription__in=stays)
    for subscription_id, customer_id, terms in _read_terms(phases):
        period = timeline.last_ended_period(terms, as_of=as_of)
        if period is not None and any(stay.within(period) for stay in stays[subscription_id]):
            found.append(DuePeriod(subscription_id, customer_id, period))
    return found


def terms_by_subscription(subscription_ids: Sequence[int]) -> dict[int, Terms]:
    """Where the periods of each subscription lie."""
    phases = SubscriptionPhase.objects.filter(subscription__in=subscription_ids)
    return {subscription_id: terms for subscription_id, _, terms in _read_terms(phases)}


def customers_of(subscription_ids: Sequence[int]) -> dict[int, int]:
    """Whose each subscription is."""
    return dict(Subscription.objects.filter(pk__in=subscription_ids).values_list("pk", "customer_id"))


def tax_rate_for(code: str, *, at: datetime) -> TaxRate | None:
    """The rate of this code in force at an instant."""
    return TaxRate.objects.filter(code=code, effective_at__lte=at).order_by("-effective_at", "-id").first()


def _read_terms(phases: QuerySet[SubscriptionPhase]) -> list[tuple[int, int, Terms]]:
    """Subscription, customer and terms; the interval is the first plan's, and a trigger keeps the others to it."""
    rows = (
        phases.filter(starts_at=F("subscription__starts_at"))
        .order_by("subscription_id")
        .values_list(
            "subscription_id",
            "subscription__customer_id",
            "subscription__anchor_date",
            "plan__interval",
            "plan__interval_count",
            "subscription__time_zone",
            "starts_at",
            "subscription__ends_at",
        )
    )
    return [
        (subscription_id, customer_id, Terms(anchor, Interval(interval), zone, starts_at, ends_at, every))
        for subscription_id, customer_id, anchor, interval, every, zone, starts_at, ends_at in rows.iterator()
    ]
