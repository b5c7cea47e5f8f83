"""The invoice as PDF: the stored document of a final invoice, or a draft as it would print now."""

from dataclasses import dataclass

from core.errors import DomainError
from invoicing.cycle import queries
from invoicing.cycle.models import Invoice
from invoicing.documents import render, store


class PdfNotReadyError(DomainError):
    """The document of a final invoice is still being rendered."""

    code = "pdf_not_ready"


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
        raise PdfNotReadyError("The PDF is being rendered; ask again in a few seconds.")
    return InvoicePdf(content=bytes(stored.content), file_name=f"{invoice.number}.pdf")


def document_key(invoice_id: int) -> str:
    return f"invoice:{invoice_id}"
