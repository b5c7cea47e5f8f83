"""Background work of the cycle: the PDF of a final invoice."""

from django.utils import timezone

from core import work
from invoicing.cycle import pdf, queries
from invoicing.cycle.models import Invoice
from invoicing.documents import render, store
from invoicing.documents.models import StoredDocument


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
        at=timezone.now(),
    )
