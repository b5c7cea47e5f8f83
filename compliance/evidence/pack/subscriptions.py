"""Subscriptions as a pack tells them: where their periods lie, and what was agreed about them, in order.

Which plan held when is told as the agreements that said so (started, plan changed, ended), each with its entry of the
audit chain, and not as it stands today: a share of an earlier invoice follows from what was agreed by then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from compliance.evidence.pack import wording
from core.models import AuditEntry
from invoicing.cycle.models import Invoice, InvoiceTransition
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import KeptPrices, Plan, SubscriptionQuantity
from invoicing.pricing.rules.timeline import Stretch, Terms

STARTED, CHANGED, ENDED = "subscription_started", "plan_changed", "subscription_ended"
INSTANT_OF = {STARTED: "starts_at", CHANGED: "effective_at", ENDED: "ends_at"}  # the name of its instant in the facts


def agreed_before(subscription_ids: Iterable[int], *, number: int | None = None) -> dict[int, list[AuditEntry]]:
    """By subscription: what was agreed about its plans before this entry of the audit chain, in order."""
    found: dict[int, list[AuditEntry]] = {pk: [] for pk in subscription_ids}
    subjects = {f"subscription:{pk}": pk for pk in found}
    entries = AuditEntry.objects.filter(subject__in=subjects, action__in=INSTANT_OF)
    if number is not None:
        entries = entries.filter(pk__lt=number)
    for entry in entries.order_by("pk"):
        found[subjects[entry.subject]].append(entry)
    return found


def drafts_of(invoice_ids: Iterable[int]) -> dict[int, AuditEntry]:
    """By invoice: the entry of the audit chain that says it was drafted."""
    moves = InvoiceTransition.objects.filter(invoice__in=set(invoice_ids), revision=0).select_related("audit_entry")
    return {move.invoice_id: move.audit_entry for move in moves}


def end_known(agreed: Sequence[AuditEntry], *, draft: AuditEntry) -> datetime | None:
    """When the subscription was to end, as known when this draft was written."""
    ends = [entry for entry in agreed if entry.action == ENDED and entry.pk < draft.pk]
    return instant_of(ends[-1]) if ends else None


def phases_known(agreed: Sequence[AuditEntry], *, draft: AuditEntry) -> list[Stretch]:
    """Which plan held from when to when, as known when this draft was written."""
    plans = dict(Plan.objects.filter(code__in={entry.facts.get("plan") for entry in agreed}).values_list("code", "pk"))
    held: list[Stretch] = []
    end = None
    for entry in agreed:
        if entry.pk > draft.pk:
            break
        at = instant_of(entry)
        if held:
            held[-1] = replace(held[-1], end=at)
        if entry.action == ENDED:
            end = at
        else:
            held.append(Stretch(plans[entry.facts["plan"]], at, end))
    return held


def instant_of(entry: AuditEntry) -> datetime:
    return datetime.fromisoformat(entry.facts[INSTANT_OF[entry.action]])


def subscriptions_of(ids: Iterable[int], *, invoice: Invoice) -> list[dict[str, Any]]:
    """The subscriptions, with what was agreed by the time at which this invoice was drafted."""
    terms = pricing_queries.terms_by_subscription(sorted(ids))
    draft = drafts_of([invoice.pk])[invoice.pk]
    agreed = agreed_before(terms, number=draft.pk)
    return [_subscription(pk, own, agreed=agreed) for pk, own in sorted(terms.items())]


def _subscription(pk: int, own: Terms, *, agreed: Mapping[int, list[AuditEntry]]) -> dict[str, Any]:
    return {
        "id": pk,
        "anchor": own.anchor.isoformat(),
        "interval": str(own.interval),
        "every": own.every,
        "zone": own.zone,
        "starts_at": wording.instant(own.starts_at),
        "agreed": [_agreement(entry) for entry in agreed[pk]],
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
        "kept": [
            {
                "plan": each.plan_id,
                "starts_at": wording.instant(each.starts_at),
                "ends_at": wording.instant(each.ends_at),
                "created_at": wording.instant(each.created_at),
            }
            for each in KeptPrices.objects.filter(subscription=pk).order_by("starts_at")
        ],
    }


def _agreement(entry: AuditEntry) -> dict[str, Any]:
    return {
        "action": entry.action,
        "plan": entry.facts.get("plan"),
        "from": wording.instant(instant_of(entry)),
        "recorded_at": wording.instant(entry.recorded_at),
        "audit_reference": entry.reference,
    }
