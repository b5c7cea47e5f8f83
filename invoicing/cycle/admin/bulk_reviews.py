"""A decision over everything that a filter lists: how far it is, and what was refused and why."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from invoicing.cycle import bulk_reviews
from invoicing.cycle.models import BulkReview

REFRESH_SECONDS = "3"
REFUSED_SHOWN = 200
WORDS = {
    "": "waiting",
    "approved": "approved",
    "first_of_two": "with the first of two approvals",
    "held": "held",
    "released": "released",
    "refused": "refused",
}


@admin.register(BulkReview)
class BulkReviewAdmin(BackOfficeAdmin):
    """Read only; asked for in the review queue, and made by a worker."""

    list_display = ("__str__", "asked_by", "asked_at", "progress", "ended_at")
    list_select_related = ("asked_by",)
    fields = ("action", "reason", "asked_by", "asked_at", "progress", "refused", "ended_at", "hash_shown")
    readonly_fields = fields

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if BulkReview.objects.filter(pk=object_id, ended_at=None).exists():
            response.headers["Refresh"] = REFRESH_SECONDS
        return response

    @display(description="How far it is")
    def progress(self, review: BulkReview) -> str:
        counts = bulk_reviews.counts_of(review)
        done = review.total - counts.get("", 0)
        parts = ", ".join(f"{counts[name]} {words}" for name, words in WORDS.items() if counts.get(name))
        return f"{done} of {review.total}: {parts}" if parts else "Nothing was on the list."

    @display(description="List hash")
    def hash_shown(self, review: BulkReview) -> SafeString:
        """Of the invoices and figures that were looked at; it breaks where the page is narrow."""
        return format_html('<span class="bo-mono">{}</span>', review.list_hash)

    @display(description="Refused, and why")
    def refused(self, review: BulkReview) -> str:
        items = review.items.filter(outcome="refused").select_related("invoice__customer")[:REFUSED_SHOWN]
        rows = [
            (
                reverse("admin:cycle_invoice_change", args=[item.invoice_id]),
                item.invoice,
                item.invoice.customer,
                item.detail,
            )
            for item in items
        ]
        if not rows:
            return "None"
        return format_html("<ul>{}</ul>", format_html_join("", '<li><a href="{}">{}</a>, {}: {}</li>', rows))
