"""The pages of the portal; every one but sign-in is of exactly one customer."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Customer
from invoicing.cycle import pdf
from invoicing.cycle import queries as cycle_queries
from invoicing.documents import annex
from invoicing.portal import access, credit, forms, pages, queries, usage

LATEST = 3
INVOICES_PER_PAGE = 25


@require_safe
@access.portal_required
def overview(request: HttpRequest, *, customer: Customer) -> HttpResponseBase:
    context = {
        "section": "usage",
        "customer": customer,
        "credit": credit.read_credit(customer=customer, at=timezone.now()),
        "periods": usage.read_usage(customer=customer, at=timezone.now()),
        "invoices": pages.invoice_rows(queries.final_invoices(customer)[:LATEST]),
    }
    return render(request, "portal/overview.html", context)


@require_safe
@access.portal_required
def invoices(request: HttpRequest, *, customer: Customer) -> HttpResponseBase:
    listed = Paginator(queries.final_invoices(customer), INVOICES_PER_PAGE).get_page(request.GET.get("page"))
    rows = pages.invoice_rows(listed.object_list)
    context = {"section": "invoices", "customer": customer, "listed": listed, "invoices": rows}
    return render(request, "portal/invoices.html", context)


@require_safe
@access.portal_required
def invoice(request: HttpRequest, *, customer: Customer, invoice_id: int) -> HttpResponseBase:
    found = get_object_or_404(queries.final_invoices(customer), pk=invoice_id)
    context = {"section": "invoices", "customer": customer, **pages.invoice_page(found)}
    return render(request, "portal/invoice.html", context)


@require_safe
@access.portal_required
def invoice_pdf(request: HttpRequest, *, customer: Customer, invoice_id: int) -> HttpResponseBase:
    """The stored document; moments after finalizing, a page that asks to come back."""
    found = get_object_or_404(queries.final_invoices(customer), pk=invoice_id)
    try:
        document = pdf.invoice_pdf(invoice=found)
    except pdf.PdfNotReadyError as error:
        context = {"section": "invoices", "customer": customer, "reason": error.message}
        answer = render(request, "portal/waiting.html", context, status=503)
        answer["Retry-After"] = "5"
        return answer
    return _download(document.content, name=document.file_name, content_type="application/pdf")


@require_safe
@access.portal_required
def invoice_lines(
    request: HttpRequest,  # noqa: ARG001  every view is given its request
    *,
    customer: Customer,
    invoice_id: int,
) -> HttpResponseBase:
    found = get_object_or_404(queries.final_invoices(customer), pk=invoice_id)
    content = annex.lines_csv(cycle_queries.invoice_document(found))
    return _download(content.encode(), name=f"{found.number}.csv", content_type="text/csv; charset=utf-8")


def _download(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})


@require_http_methods(["GET", "HEAD", "POST"])
@access.portal_required
def password(request: HttpRequest, *, customer: Customer) -> HttpResponseBase:
    view = PasswordView.as_view(extra_context={"section": "password", "customer": customer})
    return view(request)


class PasswordView(auth_views.PasswordChangeView):
    """Django's own form; it ends every other session of this person."""

    template_name = "portal/password.html"
    success_url = reverse_lazy("portal:overview")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)


@method_decorator([login_not_required, access.without_scripts], name="dispatch")
class SignInView(auth_views.LoginView):
    """Open to everybody; `next` leads only to pages of this host."""

    template_name = "portal/login.html"
    authentication_form = forms.SignInForm
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """People of a customer see its usage; staff belong in the back office."""
        is_portal = access.find_customer(self.request.user) is not None
        return reverse("portal:overview" if is_portal else "admin:index")


class SignOutView(auth_views.LogoutView):
    """By POST only, so that no link or picture can sign anybody out."""

    next_page = "portal:login"
