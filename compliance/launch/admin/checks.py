"""The checklist as it stands, and the checks that were run."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import display

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, tell_refusal
from compliance.launch import check, checklists, standing
from compliance.launch.models import CloseWalk, LaunchCheck
from compliance.launch.standing import BoxState
from core import searching
from core.errors import DomainError

REFRESH_SECONDS = 4
TONES = {"closed": "success", "open": "danger", "too_old": "warning", "not_checked": "warning"}
WORDS = {"closed": "Closed", "open": "Open", "too_old": "Proof too old", "not_checked": "Not checked"}


@admin.register(LaunchCheck)
class LaunchCheckAdmin(BackOfficeAdmin):
    """Read only; a check is asked for on the page of the checklist."""

    list_display = ("__str__", "asked_by", "asked_at", "finished_at", "outcome")
    list_select_related = ("asked_by",)
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/check.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LaunchCheck]:
        return super().get_queryset(request).prefetch_related("results")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("board/", wrap(self.board), name="launch_launchcheck_board"),
            path("ask/", wrap(self.ask), name="launch_launchcheck_ask"),
            *super().get_urls(),
        ]

    @display(description="Outcome", label={"running": "info", "closed": "success", "open": "danger"})
    def outcome(self, run: LaunchCheck) -> tuple[str, str]:
        """As it was found, without the age of proofs."""
        results = run.results.all()
        open_boxes = sum(not one.is_closed for one in results)
        if run.finished_at is None:
            return "running", "Running"
        return ("open", f"{open_boxes} open") if open_boxes else ("closed", "All closed")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every box with its proof, as this check found it."""
        run = self.get_object(request, object_id)
        context = {} if run is None else _context(run, standing.of_check(run, at=run.finished_at or timezone.now()))
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def board(self, request: HttpRequest) -> HttpResponse:
        """The last finished check, aged to now, and how far a running one is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run, running = standing.latest_check(), LaunchCheck.objects.filter(finished_at=None).order_by("pk")
        states = standing.overview(at=timezone.now())
        shown = {
            **self.admin_site.each_context(request),
            "title": "Launch checklist",
            **_context(run, states),
            "running": [_how_far(one) for one in running],
            "running_boxes": {one.only for one in running},
            "may_ask": roles.has_role(request.user, check.ASKERS),
        }
        response = TemplateResponse(request, "launch/board.html", shown)
        if running:
            response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Have every box looked at again, or the one that is named."""
        if request.method != "POST" or not roles.has_role(request.user, check.ASKERS):
            raise PermissionDenied
        try:
            check.ask_for_check(actor=request.user, at=timezone.now(), only=request.POST.get("box", ""))
        except DomainError as error:
            tell_refusal(request, error)
        else:
            messages.success(request, "A worker looks at it; this page shows how far it is.")
        return redirect("admin:launch_launchcheck_board")


def _how_far(run: LaunchCheck) -> dict[str, Any]:
    return {
        "run": run,
        "walk": CloseWalk.objects.filter(run=run).first(),
        "searched": searching.how_far(run) if run.searches.exists() else None,
        "results": run.results.count(),
    }


def _context(run: LaunchCheck | None, states: list[BoxState]) -> dict[str, Any]:
    open_boxes = standing.still_open(states)
    return {
        "run": run,
        "boxes": [{"state": one, "tone": TONES[one.state], "word": WORDS[one.state]} for one in states],
        "open_count": len(open_boxes),
        "checklist": checklists.in_force(),
    }
