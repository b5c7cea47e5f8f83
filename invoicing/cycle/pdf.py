"""The invoice as PDF: the stored document of a final invoice, or a draft as it would print now."""

from dataclasses import dataclass

from core import personal_keys
from core.errors import DomainError
from core.models import Job
from invoicing.cycle import queries
from invoicing.cycle.models import Invoice
from invoicing.documents import render, store

RENDER_JOB = "render_invoice_pdf"


class PdfNotReadyError(DomainError):
    """The document of a final invoice is still being rendered."""

    code = "pdf_not_ready"


class PdfFailedError(DomainError):
    """Rendering was tried as often as it may be, and given up."""

    code = "pdf_failed"


class PdfErasedError(DomainError):
    """The person was erased, and no law keeps the document any more."""

    code = "pdf_erased"
    http_status = 410


@dataclass(frozen=True, slots=True)
class InvoicePdf:
    """The bytes, and under which name a person saves them."""

    content: bytes
    file_name: str


def invoice_pdf(*, invoice: Invoice) -> InvoicePdf:
    """The same stored bytes for ever once final; PdfNotReadyError while a worker still renders them."""
    if invoice.status != Invoice.Status.FINAL:
        drawn = render.render_pdf(queries.invoice_document(invoice))
        return InvoicePdf(content=drawn, file_name=f"draft-{invoice.pk}.pdf")
    stored = store.load(document_key(invoice.pk))
    if stored is None:
        raise _why_missing(invoice.pk)
    content = stored.opened()
    if content is None:
        raise PdfErasedError(
            f"The customer was {personal_keys.erased_words(invoice.personal_key_id or 0)}, and the PDF."
        )
    return InvoicePdf(content=content, file_name=f"{invoice.number}.pdf")


def what_is_missing(*, invoice: Invoice) -> str:
    """Why there is no PDF of a final invoice yet, in a sentence; empty where there is one, or a draft to draw."""
    if invoice.status != Invoice.Status.FINAL or store.is_stored(document_key(invoice.pk)):
        return ""
    return _why_missing(invoice.pk).message


def _why_missing(invoice_id: int) -> DomainError:
    job = Job.objects.filter(kind=RENDER_JOB, key=str(invoice_id)).order_by("-pk").first()
    if job is None or job.state != Job.State.DEAD:
        return PdfNotReadyError("The PDF is being rendered; ask again in a few seconds.")
    reason = job.last_error.splitlines()[0][:300] if job.last_error else "no reason is known"
    return PdfFailedError(f"Rendering the PDF was given up ({reason}). Repair what it names and run the job again.")


def document_key(invoice_id: int) -> str:
    return f"invoice:{invoice_id}"
