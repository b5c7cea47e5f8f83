"""Background work of the cycle: closes, PDFs of final invoices, corrections at once, revenue over time."""

from datetime import timedelta

from django.utils import timezone

from core import recurring, searching, stop_sign, work
from invoicing.cycle import (
    at_once,
    bulk_reviews,
    close,
    off_cycle,
    offences,
    pdf,
    queries,
    recognize,
    start_close,
    stopped,
)
from invoicing.cycle.models import Invoice
from invoicing.documents import render, store
from invoicing.documents.models import StoredDocument

SLICE_SECONDS = 60  # between two slices other work gets its turn


@work.handles(start_close.CLOSE_JOB, attempts_max=10)
def close_periods(*, run_id: int) -> None:
    """Do a slice of a close. Killed, it goes on with the chunk it was at."""
    start_close.go_on(run_id=run_id, at=timezone.now(), is_over=stop_sign.over_after(SLICE_SECONDS))


@work.handles(bulk_reviews.JOB, attempts_max=5)
def decide_over_many(*, review_id: int) -> None:
    """Decide over the next invoices of a list. Killed, it goes on with those that have no outcome."""
    bulk_reviews.go_on(review_id=review_id, at=timezone.now())


@work.handles(stopped.TRY_JOB, attempts_max=3)
def draft_interim(*, customer_id: int) -> None:
    """Try again what failed; what fails again is kept with its reason."""
    off_cycle.draft_interims(customer_ids=[customer_id], at=timezone.now())


@recurring.every(timedelta(days=1), kind=offences.CHECK_JOB, is_long=True)
def check_invariants() -> None:
    """Search a slice of what contradicts an invariant, at night or when a person asks; what is left is queued again."""
    found = offences.go_on_with_check(
        at=timezone.now(), is_over=stop_sign.over_after(SLICE_SECONDS), seconds_max=searching.WORKER_SECONDS_MAX
    )
    if found is None:
        offences.queue_next_slice(at=timezone.now())


@work.handles(offences.TELL_JOB, attempts_max=8)
def tell_offences(*, first: int, last: int, channel: str) -> None:
    """Tell ops what a check found."""
    offences.tell(first=first, last=last, channel=channel)


@work.handles(pdf.RENDER_JOB, attempts_max=5)
def render_invoice_pdf(*, invoice_id: int) -> None:
    """Render once and store; run again, it finds the document and leaves it as it is."""
    if store.load(pdf.document_key(invoice_id)) is not None:
        return
    invoice = Invoice.objects.select_related("seller").get(pk=invoice_id, status=Invoice.Status.FINAL)
    store.store_document(
        key=pdf.document_key(invoice_id),
        kind=StoredDocument.Kind.INVOICE_PDF,
        content=render.render_pdf(queries.invoice_document(invoice)),
        key_id=invoice.personal_key_id,
        at=timezone.now(),
    )


@recurring.every(timedelta(hours=1), kind="cycle.adjustments")
def draft_adjustments() -> None:
    """One document with all that is late by now, never one per event; most customers wait for their next invoice."""
    try:
        at_once.draft_adjustments(at=timezone.now())
    except close.SellerMissingError:
        return  # nothing can be late yet that was issued by nobody


@recurring.every(timedelta(hours=6), kind="cycle.recognition")
def recognize_revenue() -> None:
    """Looks at every month that is over; usually there is nothing new."""
    recognize.recognize_months(at=timezone.now())
