"""Evidence packs in the back office: ask for one, see how far it is, download it."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from compliance.evidence.models import EvidencePack, EvidenceRequest
from compliance.evidence.pack import ask, make
from core import heads
from core.errors import DomainError, NotFoundError
from core.http.downloads import zip_response
from invoicing.cycle.models import Invoice

POSITION_DIGITS_MAX = 9
REFRESH_SECONDS = 3


def packs_page(request: HttpRequest, invoice_id: int) -> HttpResponseBase:
    """The packs of an invoice; POST asks for one, of the line at `line` if that is given. For all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
    invoice = Invoice.objects.select_related("customer").filter(pk=invoice_id).first()
    if invoice is None:
        raise Http404
    if request.method == "POST":
        return _ask(request, invoice)
    packs = EvidencePack.objects.filter(invoice=invoice).select_related("line", "made_by", "audit_entry")
    waiting = EvidenceRequest.objects.filter(invoice=invoice, pack=None).select_related("line", "asked_by")
    context = {
        **admin.site.each_context(request),
        "title": f"Evidence of {invoice}",
        "invoice": invoice,
        "invoice_url": reverse("admin:cycle_invoice_change", args=[invoice.pk]),
        "lines": invoice.lines.order_by("position"),
        "packs": [_pack(pack) for pack in packs],
        "waiting": [_request(each) for each in waiting],
        "refresh": REFRESH_SECONDS if waiting else None,
        "public_key": heads.public_key(),
    }
    return TemplateResponse(request, "evidence/packs.html", context)


def pack_file(request: HttpRequest, pack_id: int) -> HttpResponseBase:
    """The ZIP; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
    pack = EvidencePack.objects.filter(pk=pack_id).first()
    if pack is None:
        raise Http404
    try:
        content = make.read_pack(pack)
    except make.PackErasedError as error:
        return HttpResponse(error.message, status=error.http_status, content_type="text/plain")
    return zip_response(content, name=pack.file_name, size=pack.size, sha256=pack.sha256)


def _ask(request: HttpRequest, invoice: Invoice) -> HttpResponseBase:
    text = request.POST.get("line", "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= POSITION_DIGITS_MAX
    try:
        if text and not is_number:
            raise NotFoundError(f"{invoice} has no such line.")
        line = ask.find_line(invoice, position=int(text) if text else None)
        answer = ask.ask_for_pack(invoice=invoice, line=line, actor=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, error.message)
    else:
        said = "The pack is being made; this page shows how far it is." if answer.pack is None else "The pack is there."
        messages.success(request, said)
    return redirect(reverse("admin:evidence_packs", args=[invoice.pk]))


def _pack(pack: EvidencePack) -> dict[str, Any]:
    return {
        "pack": pack,
        "what": "the whole invoice" if pack.line is None else f"line {pack.line.position}",
        "url": reverse("admin:evidence_pack_file", args=[pack.pk]),
    }


def _request(request: EvidenceRequest) -> dict[str, Any]:
    return {
        "request": request,
        "what": "the whole invoice" if request.line is None else f"line {request.line.position}",
    }
