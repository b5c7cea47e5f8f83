"""The desk of disputes: what is open, with whom and until when; one page per dispute with what may be done about it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.backoffice import ID_DIGITS_MAX, BackOfficeAdmin, answer_in_dialog
from compliance.disputes import letter as letters
from compliance.disputes import opening, queries
from compliance.disputes.admin import forms, lists, page
from compliance.disputes.admin.actions import DisputeActions
from compliance.disputes.admin.permissions import DisputePermissions
from compliance.disputes.models import Dispute
from compliance.disputes.opening import Claim
from compliance.disputes.rules import lifecycle

OPENING: ActionDialog = {
    "title": "Open a dispute for a customer",
    "description": "The evidence is rebuilt at once in the background. The invoice itself stays what it is.",
    "form_class": forms.OpenForm,
    "form_submit_text": "Open",
}


@admin.register(Dispute)
class DisputeAdmin(DisputeActions, DisputePermissions, BackOfficeAdmin):
    """Nothing is edited: every change is one of the stage functions."""

    list_display = ("name", "customer", "why", "step", "with_whom", "due", "update_due", "opened")
    list_filter: ClassVar[Any] = [
        lists.StepFilter,
        lists.OverdueFilter,
        "path",
        "owner_role",
        "outcome",
        "reason",
        lists.CollectionFilter,
    ]
    list_filter_submit = False
    search_fields = ("invoice__number", "customer__code", "customer__legal_name")
    fields: ClassVar[list[str]] = []
    change_form_template = "disputes/dispute.html"
    actions_list: ClassVar[list[str]] = ["open_new"]
    actions_detail: ClassVar[Any] = [
        "uphold",
        "reject",
        "link_fix",
        "write_update",
        {
            "title": "More",
            "icon": "more_horiz",
            "items": ["write_remark", "rebuild", "assign", "hold_collection", "lift_collection", "withdraw"],
        },
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return queries.all_disputes()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["due_at", "-pk"]  # PostgreSQL puts those without one, which are closed, last

    def get_urls(self) -> list[URLPattern]:
        letter = path(
            "<path:object_id>/letter/", self.admin_site.admin_view(self.letter), name="disputes_dispute_letter"
        )
        return [letter, *super().get_urls()]

    def letter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The letter as PDF; for all staff."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        is_id = object_id.isascii() and object_id.isdecimal() and len(object_id) <= ID_DIGITS_MAX
        found = queries.find_letter(int(object_id)) if is_id else None
        if found is None:
            raise Http404
        name = f'inline; filename="dispute-{object_id}.pdf"'
        content = letters.content_of(found)
        return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        dispute = self.get_object(request, object_id)
        context = {} if dispute is None else page.page_context(dispute, now=timezone.now())
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    # Columns

    @display(description="Dispute", header=True)
    def name(self, dispute: Dispute) -> list[str]:
        hold = "invoice on hold for collection" if getattr(dispute, "is_on_hold", False) else ""
        return [dispute.subject, hold]

    @display(description="Why")
    def why(self, dispute: Dispute) -> str:
        return dispute.get_reason_display()

    @display(description="Step", label=page.TONES)
    def step(self, dispute: Dispute) -> tuple[str, str]:
        label = dispute.get_outcome_display() if dispute.status == lifecycle.CLOSED else dispute.get_status_display()
        return dispute.status, label

    @display(description="With")
    def with_whom(self, dispute: Dispute) -> str:
        if dispute.status == lifecycle.CLOSED:
            return "—"
        return f"{dispute.owner} ({dispute.owner_role})" if dispute.owner else f"anybody in {dispute.owner_role}"

    @display(description="Due", ordering="due_at")
    def due(self, dispute: Dispute) -> str:
        return _due(dispute.due_at)

    @display(description="Next update", ordering="update_due_at")
    def update_due(self, dispute: Dispute) -> str:
        return _due(dispute.update_due_at)

    @display(description="Opened (UTC)", ordering="opened_at")
    def opened(self, dispute: Dispute) -> str:
        return f"{dispute.opened_at:%d %b %Y %H:%M}"

    @action(
        description="Open a dispute", permissions=["open"], variant=ActionVariant.PRIMARY, icon="add", dialog=OPENING
    )
    def open_new(self, request: HttpRequest, form: forms.OpenForm) -> HttpResponse:
        given = form.cleaned_data
        claim = Claim(invoice_id=given["number"].pk, position=given["line"], reason=given["reason"], text=given["text"])
        return answer_in_dialog(
            request,
            form,
            dialog=OPENING,
            call=lambda: opening.open_for_staff(
                claim=claim, origin=Dispute.Origin.BACK_OFFICE, actor=request.user, at=timezone.now()
            ),
            success="The dispute is open; its evidence is being rebuilt.",
            back_to=lambda made: reverse("admin:disputes_dispute_change", args=[made.pk]),
        )


def _due(due_at: Any) -> str:
    now = timezone.now()
    text = lists.due_text(due_at, now=now)
    if due_at is None:
        return text
    tone = "danger" if due_at <= now else "none"
    return format_html(
        '<span class="bo-tag bo-tag-{}" title="{} UTC">{}</span>', tone, f"{due_at:%d %b %Y %H:%M}", text
    )
