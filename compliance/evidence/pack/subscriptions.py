"""Subscriptions as a pack tells them: where their periods lie, and what was agreed about them, in order.

Which plan held when, and which older prices were kept until when, is told as the agreements that said so, each with its
entry of the audit chain, and not as it stands today: an earlier invoice follows from what was agreed by then.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from compliance.evidence import known
from compliance.evidence.known import Kept
from compliance.evidence.pack import wording
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import SubscriptionQuantity
from invoicing.pricing.rules.timeline import Terms


def subscriptions_of(ids: Iterable[int], *, invoice: Invoice) -> list[dict[str, Any]]:
    """The subscriptions, with what was agreed by the time at which this invoice was drafted."""
    terms = pricing_queries.terms_by_subscription(sorted(ids))
    draft = known.drafts_of([invoice.pk])[invoice.pk]
    agreed = known.agreed_before(terms, number=draft.pk)
    kept = known.kept_of(terms, number=draft.pk)
    return [_subscription(pk, own, agreed=agreed[pk], kept=kept.get(pk, ())) for pk, own in sorted(terms.items())]


def _subscription(pk: int, own: Terms, *, agreed: Sequence[AuditEntry], kept: Sequence[Kept]) -> dict[str, Any]:
    return {
        "id": pk,
        "anchor": own.anchor.isoformat(),
        "interval": str(own.interval),
        "every": own.every,
        "zone": own.zone,
        "starts_at": wording.instant(own.starts_at),
        "agreed": [_agreement(entry) for entry in agreed],
        "quantities": [
            {
                "id": each.pk,
                "charge": each.charge_code,
                "quantity": wording.figure(each.quantity),
                "effective_at": wording.instant(each.effective_at),
                "created_at": wording.instant(each.created_at),
            }
            for each in SubscriptionQuantity.objects.filter(subscription=pk).order_by("pk")
        ],
        "kept": [_kept(each) for each in kept],
    }


def _kept(kept: Kept) -> dict[str, Any]:
    """The plan whose prices of then are kept, and one after the other until when."""
    return {
        "plan": kept.prices.plan_id,
        "plan_code": kept.prices.plan.code,
        "starts_at": wording.instant(kept.prices.starts_at),
        "created_at": wording.instant(kept.prices.created_at),
        "ends": [
            {
                "action": end.entry.action,
                "ends_at": wording.instant(end.ends_at),
                "recorded_at": wording.instant(end.entry.recorded_at),
                "audit_reference": end.entry.reference,
            }
            for end in kept.ends
        ],
    }


def _agreement(entry: AuditEntry) -> dict[str, Any]:
    return {
        "action": entry.action,
        "plan": entry.facts.get("plan"),
        "from": wording.instant(known.instant_of(entry)),
        "recorded_at": wording.instant(entry.recorded_at),
        "audit_reference": entry.reference,
    }
