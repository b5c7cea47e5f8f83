"""Billing cycles: which periods were closed, and what became of each."""

from typing import ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from invoicing.cycle.admin import books_page, month_page, wording
from invoicing.cycle.models import BillingCycle, Invoice


@admin.register(BillingCycle)
class BillingCycleAdmin(BackOfficeAdmin):
    """Read only; a cycle is made by closing it."""

    list_display = ("customer", "period", "status", "invoice")
    list_filter: ClassVar[list[str]] = ["customer"]
    search_fields = ("customer__code", "customer__legal_name")
    ordering = ("-period_end", "customer__code")
    list_select_related = ("customer",)
    fields = ("subscription", "customer", "period_start", "period_end", "opened_at")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("month/", self.admin_site.admin_view(self.show_month), name="cycle_billingcycle_month"),
            path("books/", self.admin_site.admin_view(self.show_books), name="cycle_billingcycle_books"),
        ]
        return [*own, *super().get_urls()]

    def show_month(self, request: HttpRequest) -> HttpResponse:
        """How far the close of a month is."""
        self._require_reader(request)
        return month_page.show(request, context=self.admin_site.each_context(request))

    def show_books(self, request: HttpRequest) -> HttpResponse:
        """Whether documents, books and export of some days agree."""
        self._require_reader(request)
        return books_page.show(request, context=self.admin_site.each_context(request))

    def _require_reader(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingCycle]:
        return super().get_queryset(request).prefetch_related("invoices__customer")

    @display(description="Period")
    def period(self, cycle: BillingCycle) -> str:
        return wording.period_text(cycle)

    @display(
        description="Invoice status",
        label={"draft": "info", "held": "danger", "approved": "warning", "final": "success"},
    )
    def status(self, cycle: BillingCycle) -> tuple[str, str]:
        invoice = _live_invoice(cycle)
        return (invoice.status, invoice.get_status_display()) if invoice else ("none", "No invoice")

    @display(description="Invoice")
    def invoice(self, cycle: BillingCycle) -> str:
        invoice = _live_invoice(cycle)
        if invoice is None:
            return "—"
        return format_html('<a href="{}">{}</a>', reverse("admin:cycle_invoice_change", args=[invoice.pk]), invoice)


def _live_invoice(cycle: BillingCycle) -> Invoice | None:
    """That of the whole period; adjustments and interim documents stand in the list of invoices."""
    invoices = (one for one in cycle.invoices.all() if one.kind == Invoice.Kind.CYCLE)
    return next((one for one in invoices if one.status != Invoice.Status.DISCARDED), None)
