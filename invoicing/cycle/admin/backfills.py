"""Backfills in the back office: opened, inspected, dropped; decided on at their delta report."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import roles, validators
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.cycle import backfill as trials
from invoicing.cycle.admin.forms import ConfirmForm, ReasonForm
from invoicing.cycle.models import DeltaReport
from metering import backfills
from metering.models import Backfill

TONES = {"open": "info", "sealed": "warning", "approved": "success", "reverted": "danger"}


class NewBackfillForm(ReasonForm):
    """A name that is used once, and why this usage comes so late."""

    name = forms.CharField(max_length=60, validators=[validators.CODE], widget=UnfoldAdminTextInputWidget())
    field_order = ("name", "reason")


@admin.register(Backfill)
class BackfillAdmin(BackOfficeAdmin):
    """Read only; events come in by the API or by `import_events --backfill NAME`."""

    list_display = ("name", "status_label", "staged", "report", "created_by", "created_at")
    list_filter: ClassVar[list[str]] = ["status"]
    search_fields = ("name",)
    list_select_related = ("created_by",)
    fields = (
        "name",
        "status",
        "reason",
        "staged",
        "digest",
        "report",
        "created_by",
        "created_at",
        "decided_by",
        "decided_at",
        "decision_reason",
        "accepted",
        "duplicates",
        "quarantined",
        "captured_at",
    )
    readonly_fields = ("report",)
    actions_list: ClassVar[list[str]] = ["open_new"]
    actions_detail: ClassVar[list[str]] = ["inspect_it", "drop_it"]

    @display(description="Status", label=TONES, ordering="status")
    def status_label(self, batch: Backfill) -> tuple[str, str]:
        return batch.status, batch.get_status_display()

    @display(description="Delta report")
    def report(self, batch: Backfill) -> str:
        found = DeltaReport.objects.filter(backfill=batch).first()
        if found is None:
            return "—"
        address = reverse("admin:cycle_deltareport_change", args=[found.pk])
        return format_html('<a href="{}">{}</a>', address, found)

    def has_fill_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not roles.has_role(request.user, backfills.FILLERS):
            return False
        text = str(object_id)
        return object_id is None or (
            text.isdecimal() and Backfill.objects.filter(pk=int(text), status=Backfill.Status.OPEN).exists()
        )

    @action(
        description="New backfill",
        permissions=["fill"],
        variant=ActionVariant.PRIMARY,
        icon="history",
        dialog={
            "title": "Open a backfill",
            "description": "Events put into it are counted by nobody until finance approves what they change.",
            "form_class": NewBackfillForm,
            "form_submit_text": "Open",
        },
    )
    def open_new(self, request: HttpRequest, form: NewBackfillForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("name", "reason")}
        return answer_dialog(
            request,
            call=lambda: backfills.create_backfill(**given, actor=request.user, at=timezone.now()),
            success="The backfill is open. Put events in by the API, or by import_events --backfill.",
            back_to=reverse("admin:metering_backfill_changelist"),
        )

    @action(
        description="Inspect",
        permissions=["fill"],
        variant=ActionVariant.PRIMARY,
        icon="compare_arrows",
        dialog={
            "title": "Inspect this backfill",
            "description": "It takes no more events. Its delta report shows what would change, and waits for finance.",
            "form_class": ConfirmForm,
            "form_submit_text": "Inspect",
        },
    )
    def inspect_it(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        batch = Backfill.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: trials.inspect_backfill(name=batch.name, actor=request.user, at=timezone.now()),
            success="Its delta report is proposed.",
            back_to=reverse("admin:metering_backfill_change", args=[object_id]),
        )

    @action(
        description="Drop",
        permissions=["fill"],
        icon="delete_sweep",
        dialog={
            "title": "Drop this backfill",
            "description": "Its events are gone; its name, their number and your reason stay.",
            "form_class": ReasonForm,
            "form_submit_text": "Drop",
        },
    )
    def drop_it(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        batch, reason = Backfill.objects.get(pk=object_id), form.cleaned_data["reason"]
        return answer_dialog(
            request,
            call=lambda: trials.drop_backfill(name=batch.name, reason=reason, actor=request.user, at=timezone.now()),
            success="Dropped.",
            back_to=reverse("admin:metering_backfill_change", args=[object_id]),
        )
