"""The page of a break: both sides in figures, and the events that differ."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin
from accounts.roles import Role
from core.errors import DomainError
from invoicing.cycle import repair
from invoicing.cycle.admin.forms import ReasonForm
from invoicing.cycle.models import Break
from invoicing.cycle.rules import breaks

EVENTS_PER_PAGE = 50
SIDES = {
    "raw_not_aggregated": ("Raw events", "raw", "Snapshot", "aggregated"),
    "aggregated_not_rated": ("Snapshot", "aggregated", "Rated line", "rated"),
    "amount_not_reproduced": ("As rated", "rated", "Computed again", "again"),
}


@admin.register(Break)
class BreakAdmin(BackOfficeAdmin):
    """Read only; a break is repaired at its events, or accepted with the release of its invoice."""

    list_display = ("detail", "kind_label", "name", "invoice_link", "opened_at", "is_open")
    list_filter: ClassVar[Any] = [("closed_at", admin.EmptyFieldListFilter), "kind", "name"]
    search_fields = ("invoice__customer__code", "invoice__customer__legal_name", "detail")
    list_select_related = ("invoice__customer",)
    ordering = ("-pk",)
    change_form_outer_after_template = "cycle/break_page.html"
    actions_detail: ClassVar[list[str]] = ["repair"]

    def get_fieldsets(self, request: HttpRequest, obj: Break | None = None) -> Any:
        return []  # the page below says it all, and an empty form would leave a line

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        context = {} if found is None else _page(found, number=request.GET.get("page", "1"))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def has_repair_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        open_breaks = Break.objects.filter(pk=object_id or 0, closed_at=None, invoice__status__in=["draft", "held"])
        return open_breaks.exists() and roles.has_role(request.user, [Role.FINANCE])

    @action(
        description="Repair and draft again",
        permissions=["repair"],
        variant=ActionVariant.PRIMARY,
        icon="build",
        dialog={
            "title": "Repair and draft again",
            "description": (
                "First put the events right at their source. Then this draft is discarded, what changed is counted and"
                " rated afresh, and a new draft takes its place, which a colleague approves."
            ),
            "form_class": ReasonForm,
            "form_submit_text": "Repair",
        },
    )
    def repair(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Leads to the fresh draft, or back to the break with what was in the way."""
        found = get_object_or_404(Break, pk=object_id)
        try:
            fresh = repair.repair_invoice(
                invoice_id=found.invoice_id,
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponse(headers={"HX-Redirect": reverse("admin:cycle_break_change", args=[object_id])})
        messages.success(request, "This is the fresh draft; the one before it was discarded.")
        return HttpResponse(headers={"HX-Redirect": reverse("admin:cycle_invoice_change", args=[fresh.pk])})

    @display(description="Class", label={kind: "danger" for kind, _ in breaks.CLASSES})
    def kind_label(self, found: Break) -> tuple[str, str]:
        return found.kind, found.get_kind_display() or "Not classed"

    @display(description="Invoice")
    def invoice_link(self, found: Break) -> str:
        return format_html("{}, {}", found.invoice.customer.code, found.invoice)

    @display(description="State", label={"Open": "danger", "Closed": "none"})
    def is_open(self, found: Break) -> str:
        return "Open" if found.closed_at is None else "Closed"


def _page(found: Break, *, number: str) -> dict[str, Any]:
    left, left_key, right, right_key = SIDES.get(found.name, ("Accepted", "", "Priced", "priced"))
    return {
        "found": found,
        "repair": breaks.REPAIRS.get(found.kind, ""),
        "left": left,
        "right": right,
        "figures": _both_sides(found.facts, left_key, right_key),
        "events": Paginator(found.events.all(), EVENTS_PER_PAGE).get_page(number),
    }


def _both_sides(facts: dict[str, str], left: str, right: str) -> list[tuple[str, str, str]]:
    """Rows of (what, one side, the other), from facts whose names begin with their side."""
    rows: dict[str, dict[str, str]] = {}
    for name, value in facts.items():
        side, _, what = name.partition("_")
        if name in (left, right):
            side, what = name, "amount"
        if side in (left, right) and left:
            rows.setdefault(what, {})[side] = value
    found = [(what.replace("_", " "), sides.get(left, "—"), sides.get(right, "—")) for what, sides in rows.items()]
    return found or [(name.replace("_", " "), _said(facts[name]), "—") for name in sorted(facts)]


def _said(value: str) -> str:
    """An instant as people read it, everything else as it is."""
    if "T" not in value:
        return value
    try:
        return f"{datetime.fromisoformat(value).astimezone(UTC):%-d %b %Y %H:%M} UTC"
    except ValueError:
        return value
