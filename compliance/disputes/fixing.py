"""Link an upheld dispute to what corrects it, and close it once that is issued."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import roles
from accounts.roles import Role
from compliance.disputes import closing, keeping, move
from compliance.disputes.models import Dispute, DisputeFix
from compliance.disputes.rules import lifecycle
from core import audit
from core.errors import DomainError, InvalidInputError
from invoicing.cycle.models import DeltaReport, Invoice

LINKERS = (Role.FINANCE, Role.OPS)


class NotAFixError(InvalidInputError):
    """It corrects nothing of what is contested."""

    code = "not_a_fix"


class LinkedAlreadyError(DomainError):
    """It stands there already."""

    code = "fix_linked_already"


@transaction.atomic
def link_fix(
    *,
    dispute_id: int,
    document_id: int | None,
    delta_report_id: int | None,
    keep_hold: str = "",
    actor: Any,
    at: datetime,
) -> DisputeFix:
    """Link a document that corrects it, or a delta report; the dispute closes once such a document is final.

    `keep_hold` says why the hold on collection of this dispute stands after that.
    """
    roles.require_role(actor, *LINKERS, to="link a correction to a dispute")
    dispute = move.lock_dispute(dispute_id=dispute_id)
    if dispute.status != lifecycle.CORRECTING:
        raise move.WrongStepError("A correction is linked to a dispute that is upheld and not yet closed.")
    if (document_id is None) == (delta_report_id is None):
        raise InvalidInputError("Name either a document or a delta report.", pointer="/document")
    document = None if document_id is None else _find_document(dispute, document_id)
    report = None if delta_report_id is None else _find_report(dispute, delta_report_id)
    if dispute.fixes.filter(document=document, delta_report=report).exists():
        raise LinkedAlreadyError("It is linked already.")
    facts = {"document": document_id, "delta_report": delta_report_id}
    entry = audit.append_entry(
        action="dispute.fix_linked", subject=f"dispute:{dispute.pk}", actor=actor, facts=facts, at=at
    )
    fix = DisputeFix.objects.create(
        dispute=dispute, document=document, delta_report=report, linked_by=actor, linked_at=at, audit_entry=entry
    )
    keeping.keep_hold_if_said(dispute, reason=keep_hold, actor=actor, at=at)
    _close_if_issued(dispute, actor=actor, at=at)
    return fix


def close_corrected(*, at: datetime) -> int:
    """Close what waited for a correction that is issued by now; how many."""
    waiting = Dispute.objects.filter(status=lifecycle.CORRECTING).values_list("pk", flat=True)
    closed = 0
    for dispute_id in list(waiting):
        with transaction.atomic():
            closed += _close_if_issued(move.lock_dispute(dispute_id=dispute_id), actor=None, at=at)
    return closed


def corrections_of(invoice: Invoice, *, line_id: int | None = None) -> list[Invoice]:
    """Documents that correct the invoice, or this line of it: credit notes, and those with a line that adjusts it."""
    lines = invoice.lines.all() if line_id is None else invoice.lines.filter(pk=line_id)
    found = Invoice.objects.exclude(status=Invoice.Status.DISCARDED).filter(
        Q(lines__adjusts__in=lines) | Q(credit_lines__credits__in=lines)
    )
    return list(found.distinct().order_by("pk"))


def _close_if_issued(dispute: Dispute, *, actor: Any, at: datetime) -> bool:
    issued = issued_fix(dispute)
    if dispute.status != lifecycle.CORRECTING or issued is None:
        return False
    closing.close_dispute(
        dispute,
        outcome=lifecycle.UPHELD,
        actor=actor,
        reason=f"corrected by {issued}",
        told=f"The correction is issued: {issued}.",
        facts={"document": issued.pk},
        at=at,
    )
    return True


def issued_fix(dispute: Dispute) -> Invoice | None:
    """A final document among those that are linked, by itself or through its delta report."""
    final = Invoice.objects.filter(status=Invoice.Status.FINAL)
    reports = dispute.fixes.filter(delta_report__isnull=False).values("delta_report")
    mine = Q(pk__in=dispute.fixes.filter(document__isnull=False).values("document")) | Q(delta_reports__in=reports)
    return final.filter(mine).order_by("pk").first()


def _find_document(dispute: Dispute, document_id: int) -> Invoice:
    for document in corrections_of(dispute.invoice, line_id=dispute.line_id):
        if document.pk == document_id:
            return document
    raise NotAFixError(f"Document {document_id} corrects nothing of {dispute.subject}.", pointer="/document")


def _find_report(dispute: Dispute, report_id: int) -> DeltaReport:
    lines = dispute.invoice.lines.all() if dispute.line is None else dispute.invoice.lines.filter(pk=dispute.line.pk)
    report = DeltaReport.objects.filter(pk=report_id, rows__corrects__in=lines).first()
    if report is None:
        raise NotAFixError(f"Delta report {report_id} corrects nothing of {dispute.subject}.", pointer="/delta_report")
    return report
