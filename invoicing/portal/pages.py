"""Invoices in the words of the portal's pages; figures and dates read exactly as on the printed document."""

from collections.abc import Iterable
from typing import Any

from invoicing.cycle import queries as cycle_queries
from invoicing.cycle.models import DocumentType, Invoice
from invoicing.documents import page
from invoicing.documents.rules import figures

LOCALE = "en"


def invoice_row(invoice: Invoice) -> dict[str, Any]:
    """One row of the list of final invoices."""
    zone = invoice.parties["customer"]["time_zone"]
    is_credit_note = invoice.document_type == DocumentType.CREDIT_NOTE
    return {
        "pk": invoice.pk,
        "number": invoice.number,
        "period": figures.span_text(invoice.period_start, invoice.period_end, zone=zone, locale=LOCALE),
        "issued": figures.date_text(invoice.issue_date, locale=LOCALE) if invoice.issue_date else "",
        "is_credit_note": is_credit_note,
        "due": figures.date_text(invoice.due_date, locale=LOCALE) if invoice.due_date and not is_credit_note else "",
        "total": figures.amount_text(invoice.total, currency=invoice.currency, locale=LOCALE),
        "currency": invoice.currency,
    }


def invoice_rows(invoices: Iterable[Invoice]) -> list[dict[str, Any]]:
    return [invoice_row(invoice) for invoice in invoices]


def invoice_page(invoice: Invoice) -> dict[str, Any]:
    """The document's own words, with the steps of a line beside it instead of in an annex."""
    context = page.page_context(cycle_queries.invoice_document(invoice))
    steps = {line["position"]: line["steps"] for line in context["explained"]}
    lines = [
        line | {"steps": steps.get(line["position"], []), "unit_price": _unit_price(line["unit_price"])}
        for line in context["lines"]
    ]
    return context | {"invoice_id": invoice.pk, "lines": lines}


def _unit_price(text: str) -> str:
    return "by tier" if text == page.SEE_ANNEX else text
