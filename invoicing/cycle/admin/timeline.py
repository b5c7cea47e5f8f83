"""One timeline of an invoice: moves, approvals, holds, breaks, recounts and comments, whichever table keeps them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from django.contrib.auth.models import User

from invoicing.cycle import compare
from invoicing.cycle.models import Break, FalseAlarm, Hold, Invoice, TieOut

HoldHistory: Any = Hold.history.model  # simple-history makes it, and tells no types
UNTOLD = {"revision", "status", "series", "running_number", "listed_release"}  # said by the moves, or by other fields
PERSONS = ("approved_by", "drafted_by", "placed_by", "released_by")
VALUE_MAX = 120


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
    moments += [*_delta_reports(invoice), *_false_alarms(invoice), *_edits(invoice)]
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


def _false_alarms(invoice: Invoice) -> Iterator[Moment]:
    """What was said of contradictions that stood in the way of this customer since the draft was written."""
    said = FalseAlarm.objects.filter(offence__customer=invoice.customer_id, stated_at__gte=invoice.drafted_at)
    until = invoice.finalized_at
    for alarm in said.select_related("offence", "stated_by", "decided_by"):
        if until is not None and alarm.stated_at > until:
            continue
        name = alarm.offence.name
        yield Moment(
            at=alarm.stated_at, title=f"Called a false alarm: {name}", who=name_of(alarm.stated_by), why=alarm.reason
        )
        if alarm.decided_at is not None:
            title = "Agreed, after a recount" if alarm.decision == FalseAlarm.Decision.AGREED else "Refused"
            yield Moment(
                at=alarm.decided_at,
                title=f"{title}: {name}",
                who=name_of(alarm.decided_by),
                why=alarm.decision_reason,
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


def _edits(invoice: Invoice) -> Iterator[Moment]:
    """Which fields of the invoice and of its holds were saved by whom, as django-simple-history kept them."""
    holds = HoldHistory.objects.filter(invoice_id=invoice.pk).select_related("history_user")
    rows = list(invoice.history.select_related("history_user").order_by("history_id"))
    kept = [(row.id, row) for row in holds.order_by("id", "history_id")]
    people = User.objects.in_bulk(_people_in([*rows, *(row for _, row in kept)]))
    yield from _changes(rows, what="Fields of the invoice", people=people)
    for _, of_one in groupby(kept, key=itemgetter(0)):
        yield from _changes([row for _, row in of_one], what="Fields of its hold", people=people)


def _changes(rows: Sequence[Any], *, what: str, people: Mapping[int, User]) -> Iterator[Moment]:
    """Each row against the one before it; what was written first is told by the moves."""
    for before, after in pairwise(rows):
        changed = [one for one in after.diff_against(before).changes if one.field not in UNTOLD]
        told = [
            f"{one.field.replace('_', ' ')}: {_value(one, 'old', people)} → {_value(one, 'new', people)}"
            for one in changed
        ]
        if told:
            who = name_of(after.history_user)
            yield Moment(at=after.history_date, title=what, who=who, why="\n".join(told), tone="edit")


def _people_in(rows: Sequence[Any]) -> set[int]:
    return {key for row in rows for name in PERSONS if (key := getattr(row, f"{name}_id", None)) is not None}


def _value(change: Any, side: str, people: Mapping[int, User]) -> str:
    value = getattr(change, side)
    if value in (None, ""):
        return "nothing"
    if change.field in PERSONS:
        return name_of(people.get(value))
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)[:VALUE_MAX]
