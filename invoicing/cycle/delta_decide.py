"""Approve or reject a delta report: somebody in finance who is not its author, with a reason."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, personal_keys, told_of_many
from core.errors import DomainError, NotFoundError
from invoicing.cycle import delta, discard, move
from invoicing.cycle.models import DeltaReport, Invoice, InvoiceLine
from invoicing.cycle.rules import delta_life, reasons
from metering import backfills

Status = DeltaReport.Status


class DeltaDecidedError(DomainError):
    """The report was approved or rejected before."""

    code = "delta_report_decided"


class DeltaChangedError(DomainError):
    """The report is not the one that was looked at."""

    code = "delta_report_changed"


class DeltaOpenError(DomainError):
    """The draft changes what was billed before, and nobody has allowed that yet."""

    code = "delta_report_open"


@transaction.atomic
def approve_report(*, report_id: int, content_hash: str, reason: str, actor: Any, at: datetime) -> DeltaReport:
    """Let the changes be billed; the draft that carries them still has to be approved as a whole."""
    roles.require_role(actor, Role.FINANCE, to="approve delta reports")
    reason = reasons.clean_reason(reason)
    report = lock_report(report_id=report_id)
    require_second_person(report, actor=actor)
    if content_hash != report.content_hash or delta.hash_of(report, report.rows.all()) != report.content_hash:
        raise DeltaChangedError(
            f"This report now reads {report.content_hash}; look at it again and approve that.", pointer="/content_hash"
        )
    move_report(report, to_status=Status.APPROVED, reason=reason, actor=actor, at=at)
    if report.backfill is not None:
        batch = backfills.lock_backfill(report.backfill.name)
        backfills.approve_backfill(batch, reason=reason, actor=actor, at=at)
    return report


@transaction.atomic
def reject_report(*, report_id: int, reason: str, actor: Any, at: datetime) -> DeltaReport:
    """Refuse the changes: their draft is discarded with the same reason, and the next close drafts without them.

    A window comes up again when more is late in it; the report then shows the whole difference. A backfill is reverted.
    """
    roles.require_role(actor, Role.FINANCE, to="reject delta reports")
    reason = reasons.clean_reason(reason)
    report = lock_report(report_id=report_id)
    require_second_person(report, actor=actor)
    if report.invoice is not None:
        move.require_move(report.invoice, to_status=Invoice.Status.DISCARDED)
    move_report(report, to_status=Status.REJECTED, reason=reason, actor=actor, at=at)
    if report.backfill is not None:
        batch = backfills.lock_backfill(report.backfill.name)
        backfills.revert_backfill(batch, reason=reason, actor=actor, at=at)
    if report.invoice_id is not None:
        discard.discard_invoice(invoice_id=report.invoice_id, reason=reason, actor=actor, at=at)
    return report


def require_allowed(invoice: Invoice) -> None:
    """DeltaOpenError while the draft corrects issued lines without an approved report; asked by whoever decides it."""
    reports = list(DeltaReport.objects.filter(invoice=invoice))
    waits = next((one for one in reports if one.status == Status.REJECTED), None) or next(
        (one for one in reports if one.kind == delta.Kind.ADJUSTMENT and one.status != Status.APPROVED), None
    )
    if waits is not None:
        raise DeltaOpenError(
            f"This draft changes what was billed before, and delta report {waits.pk} is {waits.status}: a person in"
            " finance who did not ask for the change has to approve it first."
        )
    if not reports and InvoiceLine.objects.filter(invoice=invoice, adjusts__isnull=False).exists():
        raise DeltaOpenError(
            "This draft changes what was billed before and has no delta report; discard it and close its period again."
        )


def lock_report(*, report_id: int) -> DeltaReport:
    """Read the report and hold it and its draft until the transaction ends; the draft first, as every decision does."""
    found = DeltaReport.objects.filter(pk=report_id).first()
    if found is None:
        raise NotFoundError(f"There is no delta report {report_id}.")
    if found.invoice_id is not None:
        move.lock_invoice(invoice_id=found.invoice_id)
    report = (
        DeltaReport.objects.select_for_update(of=("self",))
        .select_related("invoice", "replaces", "backfill")
        .get(pk=found.pk)
    )
    if not delta_life.is_allowed(report.status, Status.APPROVED):
        raise DeltaDecidedError(f"This report is {report.status} already; what was decided stays.")
    return report


def require_second_person(report: DeltaReport, *, actor: AbstractBaseUser) -> None:
    if report.author_id == actor.pk:
        raise move.SamePersonError("You asked for this change; a colleague in finance has to decide on it.")


def note_unchanged(reports: Iterable[DeltaReport], *, at: datetime) -> None:
    """Say of fresh reports that nobody has to decide, for no amount changes and nothing was drafted."""
    for report in reports:
        move_report(report, to_status=Status.NOTED, reason=delta.NOTHING_TO_DECIDE, actor=None, at=at)


def move_report(
    report: DeltaReport, *, to_status: Status, reason: str, actor: AbstractBaseUser | None, at: datetime
) -> None:
    """The one mover of delta reports: sets the status of a locked one and keeps the move in the audit chain."""
    from_status = report.status
    report.status, report.decision_reason = to_status, _told(report, reason)
    report.decided_by_id, report.decided_at = None if actor is None else actor.pk, at
    report.save(update_fields=["status", "decision_reason", "decided_by", "decided_at"])
    fact = delta.fact_of(report, from_status=from_status)
    audit.append_entries([fact], actor=actor, at=at)


def _told(report: DeltaReport, reason: str) -> str:
    """Under the key of the customer whose draft it is about; a backfill is about all whose events it holds."""
    if report.invoice is not None:
        return personal_keys.tell_about(report.invoice.customer, reason)
    return reason if report.backfill is None else told_of_many.tell_of_same(report.backfill.reason, reason)
