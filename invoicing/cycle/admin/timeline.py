"""One timeline of an invoice: moves, approvals, holds, breaks, recounts and comments, whichever table keeps them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoicing.cycle import compare
from invoicing.cycle.models import Break, Invoice, TieOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry, with the reference of its link in the audit chain where it has one."""

    at: datetime
    title: str
    who: str
    why: str = ""
    tone: str = ""
    reference: str = ""


def moments_of(invoice: Invoice) -> list[Moment]:
    """Everything that happened to it, in a fixed number of queries, the oldest first."""
    moments = [*_before(invoice), *_moves(invoice), *_approvals(invoice), *_breaks(invoice), *_recounts(invoice)]
    moments += _delta_reports(invoice)
    moments += [
        Moment(at=said.written_at, title="Comment", who=name_of(said.author), why=said.text, tone="comment")
        for said in invoice.comments.select_related("author")
    ]
    return sorted(moments, key=lambda moment: moment.at)


def name_of(person: Any) -> str:
    return "System" if person is None else person.get_full_name() or person.get_username()


def _before(invoice: Invoice) -> Iterator[Moment]:
    """The discarded draft that this one replaces."""
    earlier = compare.earlier_draft(invoice)
    if earlier is None:
        return
    for move in earlier.transitions.filter(to_status=Invoice.Status.DISCARDED).select_related("actor", "audit_entry"):
        yield Moment(
            at=move.moved_at,
            title=f"{earlier} discarded",
            who=name_of(move.actor),
            why=move.reason,
            reference=move.audit_entry.reference,
        )


def _moves(invoice: Invoice) -> Iterator[Moment]:
    for move in invoice.transitions.select_related("actor", "audit_entry"):
        released = (move.from_status, move.to_status) == (Invoice.Status.HELD, Invoice.Status.DRAFT)
        yield Moment(
            at=move.moved_at,
            title="Released" if released else Invoice.Status(move.to_status).label,
            who=name_of(move.actor),
            why=move.reason,
            tone=move.to_status,
            reference=move.audit_entry.reference,
        )


def _approvals(invoice: Invoice) -> Iterator[Moment]:
    """Where two were needed; a single approval is the move itself."""
    for given in invoice.approvals.select_related("person", "audit_entry"):
        if given.people_needed > 1:
            yield Moment(
                at=given.given_at,
                title=f"Approval, {given.people_needed} needed",
                who=name_of(given.person),
                why=f"Over the content {given.content_hash[:16]}…",
                tone="approved",
                reference=given.audit_entry.reference,
            )


def _breaks(invoice: Invoice) -> Iterator[Moment]:
    for found in Break.objects.filter(invoice=invoice).select_related("closed_by"):
        title = found.get_name_display()
        yield Moment(at=found.opened_at, title=title, who="Reconciliation", why=found.detail, tone="held")
        if found.closed_at is not None:
            closed = f"Closed: {title}"
            yield Moment(at=found.closed_at, title=closed, who=name_of(found.closed_by), why=found.closing_reason)


def _delta_reports(invoice: Invoice) -> Iterator[Moment]:
    """What changes billed history on it: who asked, and what finance said."""
    for report in invoice.delta_reports.select_related("author", "decided_by"):
        what = report.get_kind_display().lower()
        yield Moment(at=report.proposed_at, title=f"{report}: {what}", who=name_of(report.author), why=report.reason)
        if report.decided_at is not None:
            yield Moment(
                at=report.decided_at,
                title=f"{report} {report.status}",
                who=name_of(report.decided_by),
                why=report.decision_reason,
                tone="approved" if report.status == report.Status.APPROVED else "held",
            )


def _recounts(invoice: Invoice) -> Iterator[Moment]:
    for tie_out in TieOut.objects.filter(invoice=invoice):
        said = "ties" if tie_out.is_tied else "does not tie"
        why = f"{tie_out.raw_events:,} raw events, {tie_out.aggregated_events:,} aggregated: {said}."
        yield Moment(at=tie_out.checked_at, title="Recounted", who="Reconciliation", why=why)
