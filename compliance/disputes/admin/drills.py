"""Drills: rehearse both paths, and see where the time went."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from compliance.disputes import drills
from compliance.disputes.admin.forms import DrillForm
from compliance.disputes.models import DisputeDrill

REFRESH_SECONDS = 5


@admin.register(DisputeDrill)
class DisputeDrillAdmin(BackOfficeAdmin):
    """Kept as they ended."""

    list_display = ("started", "result", "paths", "seconds", "started_by")
    list_select_related = ("started_by",)
    fields: ClassVar[list[str]] = []
    change_form_template = "disputes/drill.html"
    actions_list: ClassVar[list[str]] = ["start"]

    def has_start_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, drills.STARTERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        drill = self.get_object(request, object_id)
        context = {} if drill is None else _page(drill)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="Started (UTC)", ordering="started_at")
    def started(self, drill: DisputeDrill) -> str:
        return f"{drill.started_at:%d %b %Y %H:%M}"

    @display(description="Result", label={"passed": "success", "failed": "danger", "running": "info"})
    def result(self, drill: DisputeDrill) -> tuple[str, str]:
        key = "running" if drill.is_passed is None else "passed" if drill.is_passed else "failed"
        return key, key.capitalize()

    @display(description="Disputes")
    def paths(self, drill: DisputeDrill) -> str:
        return ", ".join(f"{one['name']}: {one['went_to']}" for one in drill.report.get("paths", [])) or "—"

    @display(description="Seconds")
    def seconds(self, drill: DisputeDrill) -> str:
        return str(drill.report.get("seconds", "—"))

    @action(
        description="Run a drill",
        permissions=["start"],
        variant=ActionVariant.PRIMARY,
        icon="fitness_center",
        dialog={
            "title": "Rehearse both paths",
            "description": (
                "A worker makes a database of its own beside this one, bills a mock customer there, contests one line "
                "that is right and one that was broken on purpose, runs both disputes to their ends, and drops that "
                "database. Nothing here changes but this list."
            ),
            "form_class": DrillForm,
            "form_submit_text": "Run",
        },
    )
    def start(self, request: HttpRequest, form: DrillForm) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: drills.ask_drill(actor=request.user, at=timezone.now()),
            success="The drill is queued; this list says what came of it.",
            back_to=reverse("admin:disputes_disputedrill_changelist"),
        )


def _page(drill: DisputeDrill) -> dict[str, Any]:
    return {
        "drill": drill,
        "title": f"Drill of {drill.started_at:%d %b %Y %H:%M} UTC",
        "refresh": REFRESH_SECONDS if drill.finished_at is None else None,
    }
