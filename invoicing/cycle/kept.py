"""What the policy wants to stand behind an invoice has to stand there when it is issued."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef
from django.db.models.fields.json import KeyTextTransform

from core.errors import DomainError
from invoicing.cycle.models import Invoice, InvoiceLine, InvoiceTransition, TieOut
from invoicing.policy.rules import terms as policy_terms
from metering import queries as metering_queries
from metering.models import AggregationSnapshot

_WORDS = {
    "approval": "its approval is not in the audit chain",
    "computation": "a line has no computation",
    "snapshots": "a metered line has no snapshot",
    "tie_out": "it was never recounted",
}


class EvidenceMissingError(DomainError):
    """Something that the policy keeps is not there; nothing is issued without it."""

    code = "evidence_missing"


def require_kept(invoice: Invoice) -> None:
    """EvidenceMissingError with what is missing of all that the invoice's policy keeps."""
    if invoice.policy is None:
        return  # an invoice from before there were policies
    keep = policy_terms.parse_terms(invoice.policy.terms).evidence.keep
    missing = [*_missing_rows(invoice, keep), *(_missing_events(invoice) if "raw_events" in keep else ())]
    if missing:
        raise EvidenceMissingError(
            f"{invoice.policy} keeps evidence that is missing: {'; '.join(missing)}. Discard the draft and close the"
            " period again, or bring back what was put away."
        )


def _missing_rows(invoice: Invoice, keep: tuple[str, ...]) -> Iterator[str]:
    """One query for all of it."""
    lines = InvoiceLine.objects.filter(invoice=OuterRef("pk"))
    approvals = InvoiceTransition.objects.annotate(
        in_the_chain=KeyTextTransform("content_hash", "audit_entry__facts")
    ).filter(
        invoice=OuterRef("pk"),
        to_status=Invoice.Status.APPROVED,
        content_hash=OuterRef("content_hash"),
        in_the_chain=F("content_hash"),
    )
    unmeasured = lines.filter(rated_line__charge__meter__isnull=False, rated_line__snapshot=None)
    uncomputed = lines.filter(rated_line__computation=[]).exclude(rated_line__amount=0)
    found = (
        Invoice.objects.filter(pk=invoice.pk)
        .annotate(
            has_approval=Exists(approvals),
            has_no_snapshot=Exists(unmeasured),
            has_no_computation=Exists(uncomputed),
            has_tie_out=Exists(TieOut.objects.filter(invoice=OuterRef("pk"))),
            has_lines=Exists(lines),
        )
        .values("has_approval", "has_no_snapshot", "has_no_computation", "has_tie_out", "has_lines")
        .get()
    )
    is_kept = {
        "approval": found["has_approval"],
        "computation": not found["has_no_computation"],
        "snapshots": not found["has_no_snapshot"],
        # A credit note asked for has no lines of its own: what it gives back was recounted when it was billed.
        "tie_out": found["has_tie_out"] or not found["has_lines"],
    }
    yield from (_WORDS[name] for name, is_there in is_kept.items() if name in keep and not is_there)


def _missing_events(invoice: Invoice) -> Iterator[str]:
    """Count the raw events once more: they have to be readable, and to be those that were billed."""
    snapshots = list(AggregationSnapshot.objects.filter(rated_line__invoice_line__invoice=invoice))
    recounts = metering_queries.recount(snapshots)
    for snapshot in snapshots:
        again = recounts.get(snapshot.pk)
        if again is None or (again.event_count, again.digest) != (snapshot.event_count, snapshot.digest):
            yield f"the raw events of {snapshot} are not those that were counted"
