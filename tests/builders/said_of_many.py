"""The same words, said of Erika (c-17) and of a neighbour (c-18) at once, wherever words about many are taken."""

from typing import Any

from accounts.models import Customer
from core import work
from invoicing.cycle import backfill, bulk_reviews, delta_decide, queue
from invoicing.cycle.models import BulkReview, DeltaReport, Hold, Invoice, InvoiceTransition
from invoicing.cycle.queue import Wanted
from metering import backfills, bulk, ingest
from metering.bulk import Target
from metering.models import Backfill, BulkDecision, QuarantinedEvent
from tests.builders import billing
from tests.builders.billing import CLOSING

NEIGHBOUR = "c-18"
DROPPED, REJECTED = "logs-of-one-day", "logs-of-two-days"


def event(name: str, *, subject: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": f"/calls/{subject}",
        "type": "usage",
        "subject": subject,
        "time": "2026-10-04T00:00:00Z",
        "data": data,
    }


def neighbour(company: billing.Company) -> Customer:
    """Somebody who is not erased."""
    made = billing.make_customer(NEIGHBOUR)
    billing.subscribe_to(company, made)
    billing.use(NEIGHBOUR, ("n1", billing.day(3), 10))
    return made


def discard_events(*, said: str, actor: Any) -> None:
    """One decision over an event of each that has no units."""
    bad = [event(f"group-{code}", subject=code) for code in ("c-17", NEIGHBOUR)]
    bad = [{**one, "source": "/calls"} for one in bad]
    ingest.capture_events(bad, channel="http", origin="test", at=CLOSING)
    held = QuarantinedEvent.objects.get(event_id="group-c-17")
    target = Target(code=held.reasons[0]["code"], source=held.source, event_type=held.event_type)
    made = bulk.start_decision(target=target, action="discard", reason=said, actor=actor, at=CLOSING)
    bulk.go_on(decision_id=made.pk, at=CLOSING)


def stage_events(*, said: str, actor: Any, finance: Any) -> None:
    """A backfill with an event of each that is dropped, and one that finance rejects after looking at it."""
    for name in (DROPPED, REJECTED):
        backfills.create_backfill(name=name, reason=said, actor=actor, at=CLOSING)
        late = [event(f"{name}-{code}", subject=code, units=1) for code in ("c-17", NEIGHBOUR)]
        backfills.stage_events(name=name, deliveries=late, actor=actor)
    backfill.drop_backfill(name=DROPPED, reason=said, actor=actor, at=CLOSING)
    report = backfill.inspect_backfill(name=REJECTED, actor=actor, at=CLOSING)
    delta_decide.reject_report(report_id=report.pk, reason=said, actor=finance, at=CLOSING)


def hold_drafts(*, said: str, actor: Any, other: Any) -> None:
    """Both drafts on hold by one decision over the list, and released by another."""
    billing.close_october(customer_codes=["c-17", NEIGHBOUR])
    for action, status, person in (("hold", "draft", actor), ("release", "held", other)):
        wanted = Wanted(statuses=(status,))
        review = bulk_reviews.start_review(
            wanted=wanted,
            list_hash=queue.find_list(wanted).list_hash,
            action=action,
            reason=said,
            reason_code="",
            actor=person,
            at=CLOSING,
        )
        bulk_reviews.go_on(review_id=review.pk, at=CLOSING)
    work.run_due_jobs(at=CLOSING)


def as_it_reads() -> list[str]:
    """Every place that has the words now, also those that are about the neighbour alone."""
    moved = InvoiceTransition.objects.filter(invoice__in=Invoice.objects.filter(customer__code=NEIGHBOUR), actor=None)
    return [
        *BulkDecision.objects.values_list("reason", flat=True),
        *BulkReview.objects.values_list("reason", flat=True),
        *(text for row in Backfill.objects.order_by("name") for text in (row.reason, row.decision_reason)),
        *DeltaReport.objects.filter(kind="backfill").values_list("decision_reason", flat=True),
        *QuarantinedEvent.objects.filter(event_id__startswith="group-").values_list("decision_reason", flat=True),
        *(text for row in Hold.objects.order_by("pk") for text in (row.reason, row.release_reason)),
        *moved.exclude(reason="").values_list("reason", flat=True),
    ]
