"""Whose usage is on hold, why, since when, and the way out of it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core import money
from invoicing.charge_controls import access, queries
from invoicing.charge_controls.admin.forms import ReasonForm
from invoicing.charge_controls.models import AccessChange, AccessState

TONES = {"held": "danger", "allowed": "success"}


@admin.register(AccessState)
class AccessStateAdmin(BackOfficeAdmin):
    """Moved by charge controls; a person can lift a hold."""

    list_display = ("customer", "status_label", "reason", "changed_at")
    list_filter: ClassVar[list[str]] = ["status"]
    list_select_related = ("customer",)
    search_fields = ("customer__code", "customer__legal_name")
    fields: ClassVar[list[str]] = []
    change_form_template = "charge_controls/access.html"
    actions_detail: ClassVar[list[str]] = ["lift"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        state = self.get_object(request, object_id)
        context = {} if state is None else page_context(state)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def has_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        text = str(object_id)
        held = text.isdecimal() and AccessState.objects.filter(pk=int(text), status="held").exists()
        return bool(held) and roles.has_role(request.user, access.LIFTERS)

    @display(description="Further usage", label=TONES)
    def status_label(self, state: AccessState) -> tuple[str, str]:
        return state.status, state.get_status_display()

    @action(
        description="Lift the hold",
        permissions=["lift"],
        variant=ActionVariant.PRIMARY,
        icon="lock_open",
        dialog={
            "title": "Lift the hold on usage",
            "description": "The customer may go on at once. The same crossing does not hold again; the next one does.",
            "form_class": ReasonForm,
            "form_submit_text": "Lift the hold",
        },
    )
    def lift(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        state = AccessState.objects.select_related("customer").get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: access.lift_hold(
                customer_code=state.customer.code,
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="The hold is lifted.",
            back_to=reverse("admin:charge_controls_accessstate_change", args=[object_id]),
        )


def page_context(state: AccessState) -> dict[str, Any]:
    """The answer as the API gives it, and every change."""
    found = queries.access_of(state.customer, at=timezone.now())
    changes = AccessChange.objects.filter(customer=state.customer_id)
    return {
        "state": state,
        "tone": TONES[state.status],
        "found": found,
        "lines": [
            {
                "currency": line.exposure.currency,
                "total": money.amount_text(line.exposure.total, currency=line.exposure.currency),
                "holds_at": None
                if line.holds_at is None
                else money.amount_text(line.holds_at, currency=line.exposure.currency),
                "as_of": line.exposure.as_of,
                "pk": line.exposure.pk,
            }
            for line in found.lines
        ],
        "changes": changes.select_related("actor", "policy", "audit_entry"),
    }
