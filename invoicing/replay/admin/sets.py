"""Replay sets: what each includes, how it last ran, and what is required."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core.errors import DomainError, InvalidInputError
from invoicing.replay import queries, run, sets
from invoicing.replay.admin import page
from invoicing.replay.admin.forms import MakeForm, ReleaseForm, RequireForm, RunForm, UploadForm
from invoicing.replay.models import ReplaySet, ReplaySetVersion
from invoicing.replay.rules import includes
from invoicing.replay.rules.content import FLAWS_MAX

TONES = {"passed": "success", "failed": "danger", "broken": "danger", queries.NEVER: "warning", "outdated": "warning"}


@admin.register(ReplaySet)
class ReplaySetAdmin(BackOfficeAdmin):
    """Read only; sets are made, run and required in dialogs."""

    list_display = ("name", "program", "required", "included", "last_run")
    list_filter = ("program",)
    search_fields = ("name",)
    fields: ClassVar[Any] = ()
    change_form_template = "replay/set.html"
    actions_list: ClassVar[list[str]] = ["make", "upload"]
    actions_detail: ClassVar[list[str]] = ["run_it", "require_it", "release_it"]

    def get_fields(self, request: HttpRequest, obj: ReplaySet | None = None) -> list[str]:
        return []

    def has_make_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, sets.MAKERS)

    def has_run_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, run.RUNNERS)

    def has_require_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, sets.REQUIRERS) and not _is_required(object_id)

    def has_release_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, sets.REQUIRERS) and _is_required(object_id) is not False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        shown = {} if found is None else page.set_context(found)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @display(description="Required", label={"yes": "info", "no": "none"})
    def required(self, found: ReplaySet) -> tuple[str, str]:
        return ("yes", "Required") if queries.is_required(found) else ("no", "No")

    @display(description="Includes")
    def included(self, found: ReplaySet) -> str:
        version = queries.latest_version(found)
        return (
            ", ".join(words for name, words in includes.SHOWN.items() if version.includes[name]) or "None of the four"
        )

    @display(description="Last run", label=TONES)
    def last_run(self, found: ReplaySet) -> tuple[str, str]:
        [state] = queries.states_of([found])
        return ("outdated", "Outdated") if state.is_stale else (state.verdict, page.VERDICTS[state.verdict])

    @action(
        description="Make from history",
        permissions=["make"],
        variant=ActionVariant.PRIMARY,
        icon="history",
        dialog={
            "title": "Make a replay set",
            "description": (
                "Everything these customers were billed so far: their events as they arrived, what was agreed by when,"
                " and the lines that came of it. Names and addresses stay behind."
            ),
            "form_class": MakeForm,
            "form_submit_text": "Make it",
        },
    )
    def make(self, request: HttpRequest, form: MakeForm) -> HttpResponse:
        given = form.cleaned_data
        return answer_dialog(
            request,
            call=lambda: _kept(
                sets.make_from_history,
                customer_codes=form.codes(),
                **{name: given[name] for name in ("name", "until", "orders", "description")},
                actor=request.user,
            ),
            success="The set is kept; run it.",
            back_to=reverse("admin:replay_replayset_changelist"),
        )

    @action(description="Upload", permissions=["make"], icon="upload_file")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """A page of its own: a content may have many flaws, each with its place."""
        form, flaws = UploadForm(request.POST or None, request.FILES or None), []
        if request.method == "POST" and form.is_valid():
            try:
                made = _kept(sets.upload, text=form.cleaned_data.pop("file"), **form.cleaned_data, actor=request.user)
            except DomainError as error:
                flaws = error.problems() or [{"pointer": "", "detail": error.message}]
            else:
                messages.success(request, f"{made} is kept; run it.")
                return redirect(_page(str(made.replay_set_id)))
        context = {**self.admin_site.each_context(request), "title": "Upload a replay set", "opts": self.opts}
        return TemplateResponse(
            request, "replay/upload.html", {**context, "form": form, "flaws": flaws, "flaws_max": FLAWS_MAX}
        )

    @action(
        description="Run",
        permissions=["run"],
        variant=ActionVariant.PRIMARY,
        icon="play_arrow",
        dialog={
            "title": "Run this set",
            "description": "A worker plays it in a database of its own. Nothing live changes.",
            "form_class": RunForm,
            "form_submit_text": "Run",
        },
    )
    def run_it(self, request: HttpRequest, form: RunForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: run.ask(
                name=_name(object_id),
                orders=form.cleaned_data["orders"],
                with_version=form.version,
                actor=request.user,
                at=timezone.now(),
            ),
            success="The run is queued; it stands among the runs below.",
            back_to=_page(object_id),
        )

    @action(
        description="Require",
        permissions=["require"],
        icon="verified",
        dialog={
            "title": "Require this set",
            "description": (
                "From now on no price, fee table, contract or policy that concerns it begins to count before it ran as"
                " expected."
            ),
            "form_class": RequireForm,
            "form_submit_text": "Require",
        },
    )
    def require_it(self, request: HttpRequest, form: RequireForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, is_required=True, success="The set is required from now on.")

    @action(
        description="No longer require",
        permissions=["release"],
        icon="remove_moderator",
        dialog={
            "title": "No longer require this set",
            "description": "What concerns it may begin to count without a run of it.",
            "form_class": ReleaseForm,
            "form_submit_text": "No longer require",
        },
    )
    def release_it(self, request: HttpRequest, form: ReleaseForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, is_required=False, success="The set is no longer required.")

    def _decide(
        self, request: HttpRequest, form: Any, object_id: str, *, is_required: bool, success: str
    ) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: sets.decide_requirement(
                name=_name(object_id),
                is_required=is_required,
                statement=form.cleaned_data["statement"],
                actor=request.user,
                at=timezone.now(),
            ),
            success=success,
            back_to=_page(object_id),
        )


def _kept(call: Callable[..., ReplaySetVersion], **arguments: Any) -> ReplaySetVersion:
    """What was made; a name or text that no set may have is a refusal like any other."""
    try:
        return call(**arguments, at=timezone.now())
    except ValidationError as error:
        raise InvalidInputError(" ".join(error.messages)) from error


def _is_required(object_id: str | None) -> bool | None:
    """None where no set is named: whether a dialog exists is asked without one, too."""
    if object_id is None:
        return None
    found = ReplaySet.objects.filter(pk=object_id).first()
    return found is not None and queries.is_required(found)


def _name(object_id: str) -> str:
    return ReplaySet.objects.values_list("name", flat=True).get(pk=object_id)


def _page(object_id: str) -> str:
    return reverse("admin:replay_replayset_change", args=[object_id])
