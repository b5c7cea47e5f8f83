"""Replay sets: what each includes, how it last ran, and what is required."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core.errors import InvalidInputError
from invoicing.replay import queries, run, sets
from invoicing.replay.admin import page
from invoicing.replay.admin.forms import MakeForm, ReleaseForm, RequireForm, RunForm
from invoicing.replay.models import ReplaySet, ReplaySetVersion
from invoicing.replay.rules import includes

TONES = {"passed": "success", "failed": "danger", "broken": "danger", queries.NEVER: "warning", "outdated": "warning"}


@admin.register(ReplaySet)
class ReplaySetAdmin(BackOfficeAdmin):
    """Read only; sets are made, run and required in dialogs."""

    list_display = ("name", "program", "required", "included", "last_run")
    list_filter = ("program",)
    search_fields = ("name",)
    fields: ClassVar[Any] = ()
    change_form_outer_after_template = "replay/set.html"
    actions_list: ClassVar[list[str]] = ["make"]
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
                " and the lines that came of it. Names and addresses stay behind. JSON is uploaded with"
                " `manage.py replay NAME --upload FILE` or the API."
            ),
            "form_class": MakeForm,
            "form_submit_text": "Make it",
        },
    )
    def make(self, request: HttpRequest, form: MakeForm) -> HttpResponse:
        given = form.cleaned_data
        return answer_dialog(
            request,
            call=lambda: _make(given, codes=form.codes(), actor=request.user),
            success="The set is kept; run it.",
            back_to=reverse("admin:replay_replayset_changelist"),
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


def _make(given: dict[str, Any], *, codes: list[str], actor: Any) -> ReplaySetVersion:
    try:
        return sets.make_from_history(
            name=given["name"],
            customer_codes=codes,
            until=given["until"],
            description=given["description"],
            actor=actor,
            at=timezone.now(),
        )
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
