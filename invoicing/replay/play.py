"""Runs a set through capture, close and issue, step by step; only ever called in a scratch database."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from accounts.models import Customer
from core.errors import DomainError
from invoicing.cycle import approve, at_once, close, delta_decide, finalize, hold, off_cycle
from invoicing.cycle.models import BillingCycle, Hold, Invoice
from invoicing.cycle.off_cycle import Asked
from invoicing.pricing.models import Subscription
from invoicing.replay import outcome, rows
from invoicing.replay.rules import arrival
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.arrival import Sent
from invoicing.replay.rules.content import Content
from metering import ingest
from metering.rules import reading

REASON = "As it was decided when this was billed."
ACCEPTED = "accepted"


class UnissuableError(DomainError):
    """A document has to be issued before the next step, and is not there or may not be."""

    code = "replay_unissuable"


def play(content: Content, *, seed: int | None, told: Callable[[], None]) -> dict[str, Any]:
    """Give what came out of every step: counts and outcomes of capture, and the documents drafted.

    With a seed the events of each step arrive in another order. `told` is called after every step.
    """
    deciders = rows.deciders()
    found = []
    for step in content["steps"]:
        rows.put_rows(step["rows"])
        captured = _deliver(step["deliveries"], seed=seed)
        unknown = _begin(step.get("begun", []))
        documents, failed = _draft(step["draft"], customers=content["customers"])
        refused = _issue(step["issue"], deciders=deciders)
        found.append({**captured, "documents": documents, "failed": [*unknown, *failed, *refused]})
        told()
    return {"steps": found}


def _deliver(deliveries: Sequence[dict[str, Any]], *, seed: int | None) -> dict[str, Any]:
    """Capture everything; what was not accepted is told by its place in the set."""
    events = [
        Sent(number, place, reading.read_one(event["event"]))
        for number, sent in enumerate(deliveries)
        for place, event in enumerate(sent["events"])
    ]
    batches = arrival.in_order(events) if seed is None else arrival.shuffled(events, seed=seed)
    counts: Counter[str] = Counter()
    others = []
    for batch in batches:
        at = contents.read_instant(deliveries[batch[0].delivery]["at"])
        result = ingest.capture_events([sent.event for sent in batch], channel="import", origin="replay", at=at)
        counts.update(accepted=result.accepted, duplicates=result.duplicates, quarantined=result.quarantined)
        others += [(batch[item.index], item) for item in result.items]
    return {
        "accepted": counts["accepted"],
        "duplicates": counts["duplicates"],
        "quarantined": counts["quarantined"],
        "others": sorted(
            (
                {
                    "delivery": sent.delivery,
                    "place": sent.place,
                    "becomes": item.status,
                    "reasons": sorted(f"{one.code} {one.pointer}".strip() for one in item.reasons),
                }
                for sent, item in others
            ),
            key=lambda one: (one["delivery"], one["place"]),
        ),
    }


def _begin(periods: Sequence[dict[str, Any]]) -> list[str]:
    """Begin periods as drafts did that were discarded since; what cannot be begun is told in words."""
    failed = []
    for each in periods:
        start, end, at = map(contents.read_instant, (*each["period"], each["at"]))
        owner = Subscription.objects.filter(pk=each["subscription"]).values_list("customer_id", flat=True).first()
        taken = BillingCycle.objects.filter(
            subscription=each["subscription"], period_start__lt=end, period_end__gt=start
        )
        if owner is None or not start < end or taken.exists():
            failed.append(f"subscription {each['subscription']}: no period begins at {start:%Y-%m-%d %H:%M} UTC")
            continue
        BillingCycle.objects.create(
            subscription_id=each["subscription"], customer_id=owner, period_start=start, period_end=end, opened_at=at
        )
    return failed


def _draft(asked: dict[str, Any] | None, *, customers: Sequence[str]) -> tuple[list[outcome.Document], list[str]]:
    """Draft as the step says; what could not be drafted is told in words."""
    if asked is None:
        return [], []
    at = contents.read_instant(asked["at"])
    ids, failed = _DRAFTING[asked["kind"]](asked, customers, at)
    return outcome.read_documents(ids), sorted(failed)


def _close(asked: dict[str, Any], customers: Sequence[str], at: datetime) -> tuple[list[int], list[str]]:
    as_of = contents.read_instant(asked["as_of"])
    report = close.close_cycles(as_of=as_of, customer_codes=list(customers), at=at)
    failed = [f"{one.customer} {one.period.start:%Y-%m-%d}: {one.code}: {one.reason}" for one in report.failed]
    return report.invoice_ids, failed


def _correct(_asked: dict[str, Any], customers: Sequence[str], at: datetime) -> tuple[list[int], list[str]]:
    report = at_once.draft_adjustments(customer_codes=list(customers), at=at)
    return report.invoice_ids, [f"{code}: no policy or tax rate is in force" for code in report.waiting]


def _bill_so_far(asked: dict[str, Any], customers: Sequence[str], at: datetime) -> tuple[list[int], list[str]]:
    ids = list(Customer.objects.filter(code__in=customers).values_list("pk", flat=True))
    by = None if not asked.get("asked_in") else Asked(by="exposure", currency=asked["asked_in"])
    report = off_cycle.draft_interims(customer_ids=ids, asked=by, at=at)
    return report.invoice_ids, [f"subscription {number}: {reason}" for number, reason in report.failed]


_DRAFTING = {"cycle": _close, "adjustment": _correct, "interim": _bill_so_far}


def _issue(wanted: Sequence[dict[str, Any]], *, deciders: Sequence[User]) -> list[str]:
    """Approve and finalize what had been issued before the next step; later steps stand on it."""
    waiting = {}
    if wanted:
        drafts = Invoice.objects.exclude(status__in=[Invoice.Status.FINAL, Invoice.Status.DISCARDED])
        waiting = {outcome.key_of(one): one for one in drafts.select_related("cycle", "customer")}
    refused = []
    for each in wanted:
        try:
            _issue_one(waiting.get(each["key"]), each, deciders=deciders)
        except DomainError as error:
            refused.append(f"{each['key']} could not be issued: {error.code}: {error.message}")
    return refused


def _issue_one(invoice: Invoice | None, each: dict[str, Any], *, deciders: Sequence[User]) -> None:
    if invoice is None:
        raise UnissuableError("it was not drafted")
    at = max(contents.read_instant(each["at"]), invoice.drafted_at)
    *approvers, releaser = deciders
    if invoice.status == Invoice.Status.HELD and Hold.objects.filter(invoice=invoice, released_at=None).exists():
        hold.release_invoice(invoice_id=invoice.pk, reason=REASON, actor=releaser, at=at)
    for report in invoice.delta_reports.filter(status="proposed"):
        delta_decide.approve_report(
            report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=approvers[0], at=at
        )
    for person in approvers[: approve.people_needed(invoice)]:
        approve.approve_invoice(invoice_id=invoice.pk, content_hash=invoice.content_hash, actor=person, at=at)
    finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=max(at, invoice.period_end))
