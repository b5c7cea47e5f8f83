"""What the doors of disputes read."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Customer
from compliance.disputes.models import Dispute, DisputeEvidence, DisputeHold, DisputeLetter, DisputeMessage
from compliance.disputes.rules import lifecycle
from core.errors import NotFoundError
from core.models import Job
from invoicing.cycle.models import CollectionHold

EVIDENCE_JOB = "rebuild_dispute_evidence"


def all_disputes() -> QuerySet[Dispute]:
    """With what a list says of each: whether its invoice is on hold for collection as well."""
    held = CollectionHold.objects.filter(invoice=OuterRef("invoice"), lifted_at=None)
    return Dispute.objects.select_related("customer", "invoice", "line", "owner", "opened_by", "policy").annotate(
        is_on_hold=Exists(held)
    )


def find_dispute(dispute_id: int) -> Dispute:
    found = all_disputes().filter(pk=dispute_id).first()
    if found is None:
        raise NotFoundError(f"There is no dispute {dispute_id}.")
    return found


def find_whole(dispute_id: int) -> Dispute:
    """The same with all that it gathered, in a fixed number of statements."""
    whole = (
        all_disputes()
        .select_related("letter")
        .prefetch_related(
            "evidence__pack",
            "messages__author",
            "transitions__actor",
            "transitions__audit_entry",
            "fixes__linked_by",
            "holds__joined_by",
            "holds__kept_by",
            "holds__hold__placed_by",
            "holds__hold__lifted_by",
        )
    )
    found = whole.filter(pk=dispute_id).first()
    if found is None:
        raise NotFoundError(f"There is no dispute {dispute_id}.")
    return found


def find_letter(dispute_id: int) -> DisputeLetter | None:
    """The letter with its document; None while there is none."""
    return DisputeLetter.objects.filter(dispute=dispute_id).select_related("pdf", "evidence__pack").first()


def own_hold(dispute: Dispute) -> DisputeHold | None:
    """The hold on collection that this dispute asked for and nobody lifted yet; None also where only others did."""
    return dispute.holds.filter(hold__lifted_at=None).select_related("hold", "kept_by").first()


def also_asking(mine: DisputeHold) -> QuerySet[Dispute]:
    """The other open disputes that ask for the same hold."""
    others = Dispute.objects.filter(holds__hold=mine.hold_id).exclude(pk=mine.dispute_id)
    return others.exclude(status=lifecycle.CLOSED).order_by("pk")


def stays(mine: DisputeHold) -> bool:
    """Whether the hold outlives its dispute: somebody keeps it, or another open dispute asks for it."""
    is_kept = DisputeHold.objects.filter(hold=mine.hold_id, kept_at__isnull=False).exists()
    return is_kept or also_asking(mine).exists()


def overdue_filter(*, at: datetime) -> Q:
    """Open, and its step or the update to the customer should have been done by now."""
    return ~Q(status=lifecycle.CLOSED) & (Q(due_at__lte=at) | Q(update_due_at__lte=at))


def disputes_of(customer: Customer) -> QuerySet[Dispute]:
    """What the customer sees of its own, the newest first."""
    return all_disputes().filter(customer=customer).order_by("-pk")


def seen_by_customer(dispute: Dispute) -> QuerySet[DisputeMessage]:
    """What may be shown outside."""
    return dispute.messages.filter(visibility=DisputeMessage.Visibility.CUSTOMER).select_related("author")


def latest_evidence(dispute: Dispute) -> DisputeEvidence | None:
    """The last that was finished; None while the first is being rebuilt."""
    done = dispute.evidence.filter(finished_at__isnull=False).select_related("pack")
    return done.order_by("number").last()


def given_up(dispute: Dispute) -> str:
    """Why rebuilding the evidence was given up; nothing while it may still come."""
    running = dispute.evidence.filter(finished_at=None).first()
    if running is None or dispute.status != lifecycle.EVIDENCE:
        return ""
    job = Job.objects.filter(kind=EVIDENCE_JOB, key=str(running.pk)).order_by("-pk").first()
    if job is None or job.state != Job.State.DEAD:
        return ""
    return job.last_error.splitlines()[0][:300] if job.last_error else "no reason is known"
