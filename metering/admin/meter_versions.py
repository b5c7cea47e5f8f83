"""Versions of meters: what changes, what that would have changed, and the owner's decision."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core import money
from metering import comparing, meter_versions
from metering.admin.forms import ConfirmForm, ReasonForm
from metering.comparing import CustomerEffect
from metering.meters import KEEPERS
from metering.models import MeterVersion
from metering.rules import filters, measures
from metering.rules.instants import instant_text
from metering.rules.measures import Change

ROWS_SHOWN = 25
TONES = {"proposed": "warning", "approved": "success", "rejected": "danger", "withdrawn": ""}


@admin.register(MeterVersion)
class MeterVersionAdmin(BackOfficeAdmin):
    """Read only, with two decisions: approve or reject what was proposed."""

    list_display = ("__str__", "status_label", "effective", "proposed_by", "decided_by")
    list_filter: ClassVar[list[str]] = ["status", "meter"]
    list_select_related = ("meter", "proposed_by", "decided_by")
    fields = (
        "meter",
        "version",
        "status",
        "effective",
        "changes",
        "effect",
        "content",
        "reason",
        "proposed_by",
        "proposed_at",
        "decided_by",
        "decided_at",
        "decision_reason",
    )
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["approve", "reject"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MeterVersion]:
        return super().get_queryset(request).select_related("meter__owner", "meter__contract")

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        waits = MeterVersion.objects.filter(pk=int(object_id or 0), status=MeterVersion.Status.PROPOSED).exists()
        return waits and roles.has_role(request.user, KEEPERS)

    @display(description="Status", label=TONES)
    def status_label(self, version: MeterVersion) -> tuple[str, str]:
        return version.status, version.get_status_display()

    @display(description="In force from")
    def effective(self, version: MeterVersion) -> str:
        return "always" if version.version == 1 else instant_text(version.effective_at)

    @display(description="What changes")
    def changes(self, version: MeterVersion) -> SafeString | str:
        former = meter_versions.former_of(version)
        if former is None:
            return "This is the first version."
        rows = [_shown(change) for change in meter_versions.changes_from(former, version)]
        return render_to_string("metering/version_changes.html", {"former": former, "version": version, "rows": rows})

    @display(description="Last closed windows")
    def effect(self, version: MeterVersion) -> SafeString | str:
        if meter_versions.former_of(version) is None:
            return "There is nothing to compare it with."
        found = comparing.compare_versions(version)
        rows = [_effect_row(row, unit=version.meter.unit) for row in found.rows[:ROWS_SHOWN]]
        more = len(found.rows) - len(rows)
        context = {"rows": rows, "more": more, "changed": found.changed, "all": len(found.rows), "found": found}
        return render_to_string("metering/version_effect.html", context)

    @display(description="All of it")
    def content(self, version: MeterVersion) -> SafeString:
        rows = [(_title(name), _content_text(name, getattr(version, name))) for name in measures.CONTENT]
        return render_to_string("metering/version_content.html", {"rows": rows})

    @action(
        description="Approve",
        permissions=["decide"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Approve this version",
            "description": "It measures from its instant on. Only the meter's owner approves, and not an own proposal.",
            "form_class": ConfirmForm,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: meter_versions.approve_version(
                version_id=int(object_id), actor=request.user, at=timezone.now()
            ),
            success="Approved. It measures from its instant on.",
            back_to=reverse("admin:metering_meterversion_change", args=[object_id]),
        )

    @action(
        description="Reject",
        permissions=["decide"],
        icon="block",
        dialog={
            "title": "Reject this version",
            "description": "The owner rejects it; whoever proposed it withdraws it. What is measured stays.",
            "form_class": ReasonForm,
            "form_submit_text": "Reject",
        },
    )
    def reject(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: meter_versions.reject_version(
                version_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="It will not come in force.",
            back_to=reverse("admin:metering_meterversion_change", args=[object_id]),
        )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        words = [filters.in_words(one) if isinstance(one, dict) else str(one) for one in value]
        return "\n".join(words) or "none"
    return str(value).replace("_", " ") or "none"


def _content_text(name: str, value: Any) -> str:
    """Names of properties stay as they are written in events."""
    return str(value) or "none" if name.endswith("_property") else _text(value)


def _shown(change: Change) -> dict[str, str]:
    return {
        "title": _title(change.name),
        "before": _content_text(change.name, change.before),
        "after": _content_text(change.name, change.after),
    }


def _effect_row(row: CustomerEffect, *, unit: str) -> dict[str, Any]:
    difference = row.new_quantity - row.old_quantity
    return {
        "row": row,
        "old": f"{money.plain(row.old_quantity)} {unit}",
        "new": f"{money.plain(row.new_quantity)} {unit}",
        "difference": f"{'+' if difference > 0 else ''}{money.plain(difference)}" if difference else "",
    }
