"""What must hold of agreements; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of
from invoicing.pricing.models import PriceVersion
from invoicing.pricing.rules import params as price_params


def _find_unreadable_prices() -> list[str]:
    offenders = []
    for price in PriceVersion.objects.order_by("pk").iterator():
        try:
            price_params.parse_stored_params(model=price.model, params=price.params)
        except price_params.ParamsError as error:
            offenders.append(f"price version {price.pk}: {error.message}")
    return offenders


INVARIANTS = [
    Invariant(
        number=12,
        name="every price version can price every quantity",
        find_offenders=_find_unreadable_prices,
    ),
    Invariant(
        number=13,
        name="the plans of a subscription follow each other without gap or overlap",
        find_offenders=rows_of(
            """
            SELECT subscription.id AS subscription, phase.id AS phase, phase.starts_at, phase.ends_at
            FROM pricing_subscription subscription
            LEFT JOIN (
                SELECT id, subscription_id, starts_at, ends_at,
                       lag(ends_at, 1, starts_at) OVER following AS should_start_at,
                       row_number() OVER following AS place,
                       count(*) OVER (PARTITION BY subscription_id) AS places
                FROM pricing_subscriptionphase
                WINDOW following AS (PARTITION BY subscription_id ORDER BY starts_at)
            ) AS phase ON phase.subscription_id = subscription.id
            WHERE phase.id IS NULL
               OR phase.starts_at IS DISTINCT FROM phase.should_start_at
               OR (place = 1 AND phase.starts_at <> subscription.starts_at)
               OR (place = places AND phase.ends_at IS DISTINCT FROM subscription.ends_at)
            ORDER BY subscription.id, phase.starts_at
            """
        ),
    ),
    Invariant(
        number=13,
        name="no two subscriptions of a customer price the same meter at the same time",
        find_offenders=rows_of(
            """
            SELECT DISTINCT one.subscription_id AS subscription, other.subscription_id AS other, charge.meter_id
            FROM pricing_subscriptionphase one
            JOIN pricing_subscription mine ON mine.id = one.subscription_id
            JOIN pricing_subscription theirs ON theirs.customer_id = mine.customer_id AND theirs.id > mine.id
            JOIN pricing_subscriptionphase other ON other.subscription_id = theirs.id
             AND tstzrange(one.starts_at, one.ends_at) && tstzrange(other.starts_at, other.ends_at)
            JOIN pricing_charge charge ON charge.plan_id = one.plan_id
            JOIN pricing_charge same ON same.plan_id = other.plan_id AND same.meter_id = charge.meter_id
            ORDER BY 1, 2, 3
            """
        ),
    ),
    Invariant(
        number=38,
        name="a price, plan, fee program or term that counts was approved by another person than its author",
        find_offenders=rows_of(
            """
            SELECT version.kind, version.id, version.author, version.approver
            FROM (
                SELECT 'price version' AS kind, id, status, created_by_id AS author, decided_by_id AS approver,
                       created_at, decided_at FROM pricing_priceversion
                UNION ALL
                SELECT 'plan version', id, status, created_by_id, decided_by_id, created_at, decided_at
                FROM pricing_planversion
                UNION ALL
                SELECT 'fee program version', id, status, created_by_id, decided_by_id, created_at, decided_at
                FROM pricing_feeprogramversion
                UNION ALL
                SELECT 'invoice term', id, status, created_by_id, decided_by_id, created_at, decided_at
                FROM pricing_invoiceterm
            ) version
            WHERE version.status = 'approved' AND version.author <> version.approver IS NOT TRUE
              AND NOT (version.approver IS NULL AND version.decided_at = version.created_at) -- before approvals
            ORDER BY 1, 2
            """
        ),
    ),
]
