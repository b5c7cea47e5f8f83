"""Restore drills: what came back out of a backup."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from compliance.launch.boxes import backups
from compliance.launch.models import RestoreDrill


@admin.register(RestoreDrill)
class RestoreDrillAdmin(BackOfficeAdmin):
    """Read only; a drill is run where the backups lie."""

    list_display = ("file_name", "ended_at", "verdict", "made_by")
    list_select_related = ("audit_entry",)
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/drill.html"

    @display(description="Verdict", label={"sound": "success", "not_sound": "danger"})
    def verdict(self, drill: RestoreDrill) -> tuple[str, str]:
        return ("sound", "Sound") if drill.is_sound else ("not_sound", "Not sound")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The file, the figures and what does not hold."""
        drill = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if drill is not None:
            broken = [one for one in drill.invariants if one["count"]]
            figures, facts = backups.figures_of(drill), backups.facts_of(drill)
            context = {"drill": drill, "facts": facts, "figures": figures, "broken": broken}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})
