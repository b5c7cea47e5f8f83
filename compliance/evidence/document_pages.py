"""What a document comes to, and what a line of a credit note gives back, as pages of the back office."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import roles
from compliance.evidence import document, given_back
from compliance.evidence.pages import not_for_you
from compliance.evidence.story import amount
from core.errors import NotFoundError
from invoicing.cycle.models import CreditLine, InvoiceLine


def document_page(request: HttpRequest, invoice_id: int) -> HttpResponseBase:
    """Its lines, each with the way to its own walk, and every sum done again; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    try:
        walked = document.walk_document(invoice_id=invoice_id)
    except NotFoundError as error:
        raise Http404 from error
    invoice = walked.invoice
    lines: list[InvoiceLine | CreditLine] = [*walked.lines, *walked.credit_lines]
    context = {
        **admin.site.each_context(request),
        "title": f"Why {invoice} comes to {amount(invoice.total, invoice.currency)}",
        "invoice": invoice,
        "rows": [_row(line, currency=invoice.currency) for line in lines],
        "checks": walked.checks,
        "difference": walked.first_difference,
    }
    return TemplateResponse(request, "evidence/document.html", context)


def credit_page(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """Of which line it gives back how much, and why; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    try:
        walked = given_back.walk_credit(line_id=line_id)
    except NotFoundError as error:
        raise Http404 from error
    line = walked.line
    context = {
        **admin.site.each_context(request),
        "title": f"Why {line} gives back {amount(-line.amount, line.invoice.currency)}",
        "line": line,
        "credited": line.credits,
        "credited_url": reverse("admin:evidence_trace", args=[line.credits_id]),
        "story": given_back.tell(walked),
        "checks": walked.checks,
        "difference": walked.first_difference,
    }
    return TemplateResponse(request, "evidence/credit.html", context)


def _row(line: InvoiceLine | CreditLine, *, currency: str) -> dict[str, Any]:
    page = "admin:evidence_credit" if isinstance(line, CreditLine) else "admin:evidence_trace"
    return {"line": line, "amount": amount(line.amount, currency), "url": reverse(page, args=[line.pk])}
