"""The pages of the portal about disputes; every one is of exactly one customer."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Customer
from compliance.disputes import decide, opening, queries, talk
from compliance.disputes import letter as letters
from compliance.disputes.models import Dispute, DisputeLetter
from compliance.disputes.opening import Claim
from compliance.disputes.portal.forms import MessageForm, OpenForm
from compliance.disputes.rules import lifecycle
from compliance.evidence.pack import make
from core.errors import DomainError
from core.http.downloads import zip_response
from invoicing.cycle import collection
from invoicing.documents.rules import figures
from invoicing.portal import access
from invoicing.portal import queries as portal_queries

PER_PAGE = 25
LOCALE = "en"
STEPS = {
    lifecycle.EVIDENCE: "We are working your bill out again",
    lifecycle.OPS: "Somebody is looking at it",
    lifecycle.ENGINEERING: "Our engineers are looking for the difference",
    lifecycle.CORRECTING: "You are right; the correction is on its way",
    lifecycle.CLOSED: "Closed",
}


@require_safe
@access.portal_required
def disputes(request: HttpRequest, *, customer: Customer) -> HttpResponseBase:
    """Its own disputes, the newest first."""
    listed = Paginator(queries.disputes_of(customer), PER_PAGE).get_page(request.GET.get("page"))
    rows = [_row(one) for one in listed.object_list]
    context = {"section": "disputes", "customer": customer, "listed": listed, "disputes": rows}
    return render(request, "disputes/portal_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.portal_required
def open_dispute(request: HttpRequest, *, customer: Customer, invoice_id: int) -> HttpResponseBase:
    """Contest a final invoice, or a line of it."""
    invoice = get_object_or_404(portal_queries.final_invoices(customer), pk=invoice_id)
    form = OpenForm(request.POST or None, invoice=invoice)
    if request.method == "POST" and form.is_valid():
        claim = Claim(invoice_id=invoice.pk, **form.cleaned_data)
        try:
            made = opening.open_for_customer(customer=customer, claim=claim, actor=request.user, at=timezone.now())
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "We have your dispute, and are working the bill out again.")
            return redirect("portal_disputes:dispute", dispute_id=made.pk)
    context = {"section": "invoices", "customer": customer, "invoice": invoice, "form": form}
    return render(request, "disputes/portal_open.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.portal_required
def dispute(request: HttpRequest, *, customer: Customer, dispute_id: int) -> HttpResponseBase:
    """Where it stands and what was said; POST adds a message, or takes the dispute back."""
    found = get_object_or_404(queries.disputes_of(customer), pk=dispute_id)
    form = MessageForm(request.POST or None)
    if request.method == "POST":
        if "withdraw" in request.POST:
            refusal = _try(request, decide.withdraw_as_customer, customer, dispute_id, "It is withdrawn.")
        elif form.is_valid():
            write = partial(talk.write_as_customer, text=form.cleaned_data["text"])
            refusal = _try(request, write, customer, dispute_id, "We have your message.")
        else:
            refusal = "Say something."
        if not refusal:
            return redirect("portal_disputes:dispute", dispute_id=dispute_id)
        if form.is_valid() or "withdraw" in request.POST:
            messages.error(request, refusal)
    context = {"section": "disputes", "customer": customer, "form": form, **_page(found)}
    return render(request, "disputes/portal_dispute.html", context)


@require_safe
@access.portal_required
def letter_pdf(
    request: HttpRequest,  # noqa: ARG001  every view is given its request
    *,
    customer: Customer,
    dispute_id: int,
) -> HttpResponseBase:
    """The stored letter."""
    found = _letter(customer, dispute_id)
    return _download(letters.content_of(found), name=f"dispute-{dispute_id}.pdf", content_type="application/pdf")


@require_safe
@access.portal_required
def letter_text(
    request: HttpRequest,  # noqa: ARG001  as above
    *,
    customer: Customer,
    dispute_id: int,
) -> HttpResponseBase:
    """The same letter as text."""
    found = _letter(customer, dispute_id)
    return _download(found.text.encode(), name=f"dispute-{dispute_id}.txt", content_type="text/plain; charset=utf-8")


@require_safe
@access.portal_required
def evidence(
    request: HttpRequest,  # noqa: ARG001  as above
    *,
    customer: Customer,
    dispute_id: int,
) -> HttpResponseBase:
    """The pack that the letter names, and no other."""
    pack = _letter(customer, dispute_id).evidence.pack
    if pack is None:
        raise Http404
    return zip_response(make.read_pack(pack), name=pack.file_name, size=pack.size, sha256=pack.sha256)


def _try(request: HttpRequest, call: Callable[..., object], customer: Customer, dispute_id: int, success: str) -> str:
    """Make the one domain call of a page; why it was refused, or nothing."""
    try:
        call(customer=customer, dispute_id=dispute_id, actor=request.user, at=timezone.now())
    except DomainError as error:
        return error.message
    messages.success(request, success)
    return ""


def _letter(customer: Customer, dispute_id: int) -> DisputeLetter:
    """Of its own dispute, once it is written; 404 otherwise."""
    get_object_or_404(queries.disputes_of(customer), pk=dispute_id)
    found = queries.find_letter(dispute_id)
    if found is None:
        raise Http404
    return found


def _download(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})


def _row(one: Dispute) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "subject": one.subject,
        "reason": one.get_reason_display(),
        "opened": figures.date_text(one.opened_at.date(), locale=LOCALE),
        "step": one.get_outcome_display() if one.status == lifecycle.CLOSED else STEPS[one.status],
        "is_open": one.status != lifecycle.CLOSED,
    }


def _page(one: Dispute) -> dict[str, Any]:
    letter = queries.find_letter(one.pk)
    return {
        "dispute": one,
        "row": _row(one),
        "said": queries.seen_by_customer(one),
        "hears_by": "" if one.update_due_at is None else f"{one.update_due_at:%d %b %Y %H:%M} UTC",
        "is_on_hold": collection.open_hold(one.invoice) is not None,
        "letter": letter,
        "pack": letter.evidence.pack if letter else None,
        "may_withdraw": lifecycle.is_allowed(one.status, lifecycle.CLOSED, outcome=lifecycle.WITHDRAWN),
    }
