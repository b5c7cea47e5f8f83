"""Issue an approved invoice: a number, a date, and from then on nothing about it changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounts import roles
from accounts.roles import Role
from core import activation, work
from core.errors import DomainError
from invoicing.cycle import approve, book, delta_decide, false_alarms, kept, move, offences, pause, pdf
from invoicing.cycle.models import DocumentType, Invoice

DIGITS = 6  # INV-000001; a longer number simply grows


class StillRunningError(DomainError):
    """The period was closed early, to look at it; an invoice for it waits until it is over."""

    code = "period_still_running"


@dataclass(frozen=True, slots=True)
class TakenNumber:
    """A number out of a series; later numbers have later or equal instants."""

    series_id: int
    running_number: int
    text: str
    taken_at: datetime


@transaction.atomic
def finalize_invoice(*, invoice_id: int, actor: Any, at: datetime) -> Invoice:
    """Issue the approved figures in one short transaction; if anything in it fails, the number is given back.

    Without an actor the system issues what a person approved.
    """
    if actor is not None:
        roles.require_role(actor, Role.FINANCE, to="finalize invoices")
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Invoice.Status.FINAL)
    if invoice.period_end > at:
        raise StillRunningError(f"This period runs until {invoice.period_end:%Y-%m-%d %H:%M} UTC; issue it after that.")
    pause.require_unpaused(invoice)
    if offences.require_none(invoice):
        false_alarms.require_equal(invoice)
    approve.require_unchanged(invoice)
    delta_decide.require_allowed(invoice)
    kept.require_kept(invoice)
    activation.require_unopposed(invoice, at=at)
    taken = _take_number(invoice, at=at)  # other documents of this seller and type wait from here to the commit
    issue_date = taken.taken_at.astimezone(ZoneInfo(invoice.seller.time_zone)).date()
    move.move_invoice(
        invoice,
        to_status=Invoice.Status.FINAL,
        actor=actor,
        changes={
            "series_id": taken.series_id,
            "running_number": taken.running_number,
            "number": taken.text,
            "finalized_at": taken.taken_at,
            "issue_date": issue_date,
            "due_date": issue_date + timedelta(days=invoice.terms_days),
        },
        facts={"number": taken.text},
        at=taken.taken_at,
    )
    book.book_invoice(invoice, at=taken.taken_at)
    work.enqueue(kind=pdf.RENDER_JOB, key=str(invoice.pk), arguments={"invoice_id": invoice.pk}, at=at)
    return invoice


def _take_number(invoice: Invoice, *, at: datetime) -> TakenNumber:
    """Advance the seller's series for this type of document.

    Its row stays locked until the transaction ends, so a rollback leaves no gap.
    """
    seller, is_credit = invoice.seller, invoice.document_type == DocumentType.CREDIT_NOTE
    prefix = seller.credit_note_prefix if is_credit else seller.invoice_prefix
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cycle_numberseries AS series (seller_id, document_type, prefix, next_number, last_taken_at)
            VALUES (%s, %s, %s, 2, %s)
            ON CONFLICT (seller_id, document_type) DO UPDATE
            SET next_number = series.next_number + 1,
                last_taken_at = GREATEST(series.last_taken_at, EXCLUDED.last_taken_at)
            RETURNING id, next_number - 1, prefix, last_taken_at
            """,
            [seller.pk, invoice.document_type, prefix, at],
        )
        series_id, number, prefix, taken_at = cursor.fetchone()
    return TakenNumber(
        series_id=series_id, running_number=number, text=f"{prefix}{number:0{DIGITS}d}", taken_at=taken_at
    )
