"""From InvoiceDocument to PDF: the same document gives the same bytes on the same machine."""

import hashlib
from datetime import UTC, datetime, time

from django.template.loader import render_to_string

from invoicing.documents import annex, glyphs, page
from invoicing.documents.document import InvoiceDocument


def render_pdf(document: InvoiceDocument) -> bytes:
    """The document as a company sends it, or as a draft that says so across every page."""
    from invoicing.documents import press  # noqa: PLC0415  needs Pango; who prints nothing starts without it

    html = invoice_html(document)
    with glyphs.missing_glyphs_reported(document=document.number or f"draft for {document.customer_code}"):
        return press.print_html(
            html,
            identifier=hashlib.sha256(html.encode()).digest()[:16],
            files=annex.attached_files(document),
            made_at=_made_at(document),
        )


def invoice_html(document: InvoiceDocument) -> str:
    return render_to_string("documents/invoice.html", page.page_context(document))


def _made_at(document: InvoiceDocument) -> datetime:
    """A date of the document itself, never of the machine, so that a second rendering is equal."""
    return datetime.combine(document.issue_date, time.min, UTC) if document.issue_date else document.period_end
