"""Invoices in the words of the portal's pages; figures and dates read exactly as on the printed document."""

from collections.abc import Iterable
from typing import Any

from invoicing.cycle import queries as cycle_queries
from invoicing.cycle.models import DocumentType, Invoice
from invoicing.documents import page
from invoicing.documents.rules import figures
from invoicing.payments import queries as payments_queries
from invoicing.payments.rules.dues import Due

LOCALE = "en"


def invoice_row(invoice: Invoice, due: Due) -> dict[str, Any]:
    """One row of the list of final invoices, with what is still due on it."""
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
        "state": "" if is_credit_note else _state(due),
        "open": figures.amount_text(due.due, currency=invoice.currency, locale=LOCALE) if due.due else "",
    }


def invoice_rows(invoices: Iterable[Invoice]) -> list[dict[str, Any]]:
    listed = list(invoices)
    dues = payments_queries.dues_of(customer_ids={invoice.customer_id for invoice in listed})
    return [invoice_row(invoice, dues[invoice.pk]) for invoice in listed]


def _state(due: Due) -> str:
    """In a customer's words; what was credited or set off is paid as well."""
    if due.due == 0:
        return "Paid" if due.asked > 0 else "Nothing to pay"
    return "Open" if due.due == due.asked else "Partly paid"


def invoice_page(invoice: Invoice) -> dict[str, Any]:
    """The document's own words, with the steps of a line beside it instead of in an annex."""
    context = page.page_context(cycle_queries.invoice_document(invoice))
    steps = {line["position"]: line["steps"] for line in context["explained"]}
    lines = [
        line | {"steps": steps.get(line["position"], []), "unit_price": _unit_price(line["unit_price"])}
        for line in context["lines"]
    ]
    return context | {"invoice_id": invoice.pk, "lines": lines, "paid": _paid(invoice)}


def _paid(invoice: Invoice) -> list[tuple[str, str]]:
    """What is still due, and what became of the rest; nothing for a document that asks for no money."""
    due = payments_queries.due_of(invoice)
    if due.asked <= 0:
        return []
    rows = [("Still due", due.due), ("Paid", due.paid), ("Credited", due.credited), ("Set off", due.set_off)]
    return [
        (label, f"{figures.amount_text(amount, currency=invoice.currency, locale=LOCALE)} {invoice.currency}")
        for label, amount in rows
        if amount or label == "Still due"
    ]


def _unit_price(text: str) -> str:
    return "by tier" if text == page.SEE_ANNEX else text
