"""Runs of replay sets: how far, and how what came out differs."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from invoicing.replay.admin import page
from invoicing.replay.models import ReplayRun

TONES = {"passed": "success", "failed": "danger", "broken": "danger", "": "info"}


@admin.register(ReplayRun)
class ReplayRunAdmin(BackOfficeAdmin):
    """Read only; a run is asked for on the page of its set, and its page follows it."""

    list_display = ("__str__", "state", "with_what", "asked_by", "asked_at", "finished_at")
    list_filter = ("verdict",)
    list_select_related = ("version__replay_set", "asked_by")
    fields: ClassVar[Any] = ()
    change_form_template = "replay/run.html"

    def get_fields(self, request: HttpRequest, obj: ReplayRun | None = None) -> list[str]:
        return []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        shown = {} if run is None else page.run_context(run)
        response = super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})
        if run is not None and run.finished_at is None and not shown["given_up"]:
            response.headers["Refresh"] = str(page.REFRESH_SECONDS)
        return response

    @display(description="Outcome", label=TONES)
    def state(self, run: ReplayRun) -> tuple[str, str]:
        return run.verdict, run.get_verdict_display() or "Waits or runs"

    @display(description="With")
    def with_what(self, run: ReplayRun) -> str:
        return page.candidate_text(run)
