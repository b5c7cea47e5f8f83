"""Agreements that the conventions of a policy do not allow: what a part of a period costs, how long old prices last."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Customer
from core import knowing
from core.periods import Period
from invoicing.policy.rules.conventions import AS_AGREED, Conventions
from invoicing.policy.rules.terms import Terms
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import KeptPrices, PlanVersion, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline

SHOWN_MAX = 50
ASKS_NOTHING = Conventions()


def find_misfits(*, program: str, terms: Terms, at: datetime) -> list[str]:
    """What of the running periods of a program's customers would not be billed under these terms, in sentences."""
    if terms.conventions == ASKS_NOTHING:
        return []
    customers = Customer.objects.filter(program=program)
    live = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), customer__in=customers, starts_at__lte=at)
    subscriptions = dict(live.values_list("pk", "customer_id"))
    found = flaws_of(dict.fromkeys(_running(subscriptions, at=at), terms.conventions))
    return sorted(set(found.values()))[:SHOWN_MAX]


def flaws_of(asked: Mapping[DuePeriod, Conventions]) -> dict[DuePeriod, str]:
    """Why a period must not be billed under the conventions that decide over it; those that fit are left out.

    Nothing is asked of the database where no convention says anything.
    """
    strict = {due: said for due, said in asked.items() if said != ASKS_NOTHING}
    if not strict:
        return {}
    return {**_kept_too_long(strict), **_prorated_otherwise(strict)}


def _prorated_otherwise(asked: Mapping[DuePeriod, Conventions]) -> dict[DuePeriod, str]:
    wanted = {due: said.proration for due, said in asked.items() if said.proration != AS_AGREED}
    flaws: dict[DuePeriod, int] = {}
    for segment in pricing_segments.price_segments(list(wanted)):
        due = DuePeriod(segment.subscription_id, segment.customer_id, segment.period)
        if segment.proration_unit != wanted[due]:
            flaws.setdefault(due, segment.plan_version_id)
    versions = PlanVersion.objects.select_related("plan").in_bulk(set(flaws.values()))
    return {
        due: (
            f"{versions[pk]} charges a part of a period {versions[pk].get_proration_unit_display().lower()}, against"
            f" the convention of the policy ({wanted[due]}). Agree on a version of the plan that follows it, or sign a"
            " policy that allows it."
        )
        for due, pk in flaws.items()
    }


def _kept_too_long(asked: Mapping[DuePeriod, Conventions]) -> dict[DuePeriod, str]:
    limits = {due: said.kept_days_max for due, said in asked.items() if said.kept_days_max is not None}
    rows = KeptPrices.objects.filter(
        knowing.is_known("created_at"), subscription__in={due.subscription_id for due in limits}
    )
    kept: dict[int, list[KeptPrices]] = defaultdict(list)
    for row in rows.select_related("subscription__customer"):
        kept[row.subscription_id].append(row)
    flaws = {}
    for due, days in limits.items():
        for row in kept[due.subscription_id]:
            lies_in = row.starts_at < due.period.end and row.ends_at > due.period.start
            if lies_in and row.ends_at - row.starts_at > timedelta(days=days):
                flaws[due] = (
                    f"A subscription of {row.subscription.customer.code} keeps {row}, and the policy allows {days}"
                    " days. End it earlier, or sign a policy that allows it."
                )
    return flaws


def _running(subscription_ids: Mapping[int, int], *, at: datetime) -> Iterable[DuePeriod]:
    for subscription_id, terms in pricing_queries.terms_by_subscription(list(subscription_ids)).items():
        whole = timeline.whole_period(terms, instant=at)
        end = whole.end if terms.ends_at is None else min(whole.end, terms.ends_at)
        start = max(whole.start, terms.starts_at)
        if start < end:
            yield DuePeriod(subscription_id, subscription_ids[subscription_id], Period(start, end))
