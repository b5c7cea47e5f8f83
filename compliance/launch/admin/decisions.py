"""Programs declared live, and exceptions that two people signed."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import roles, validators
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from compliance.launch import exceptions, go_live
from compliance.launch.models import GoLiveDecision, LaunchException
from compliance.launch.models.checks import BOXES
from compliance.launch.models.decisions import ROLES
from compliance.launch.rules.boxes import TITLES, Box
from compliance.launch.rules.exceptions import LENGTH_MAX, titles_of


def _program() -> forms.CharField:
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(max_length=60, initial="standard", validators=[validators.CODE], widget=widget)


def _reason(help_text: str) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(max_length=2000, help_text=help_text, widget=widget)


class DecisionForm(BaseDialogForm):
    """Which program, and whether it is live."""

    program = _program()
    outcome = forms.ChoiceField(label="Is", choices=GoLiveDecision.Outcome.choices, widget=UnfoldAdminSelectWidget())
    reason = _reason("Kept with the decision.")


class ExceptionForm(BaseDialogForm):
    """Which boxes may stand open, why, and until when."""

    program = _program()
    boxes = forms.MultipleChoiceField(
        label="Boxes that may stand open", choices=BOXES, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )
    reason = _reason("Why that is acceptable, and how it is being mended.")
    ends_at = forms.DateTimeField(
        label="Ends (UTC)",
        widget=UnfoldAdminTextInputWidget(),
        help_text=f"Such as 2026-12-01 12:00; {LENGTH_MAX.days} days from now at most. It then counts for nothing.",
    )


class SignatureForm(BaseDialogForm):
    """In which role; what is signed is what the page showed."""

    role = forms.ChoiceField(choices=ROLES, widget=UnfoldAdminSelectWidget())
    content_hash = forms.CharField(
        label="Hash of what you read", max_length=64, widget=UnfoldAdminTextInputWidget(attrs={"readonly": True})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = str(self.object_id)
        asked = LaunchException.objects.filter(pk=int(text)).first() if text.isdecimal() else None
        if asked is not None:
            self.initial = {"content_hash": asked.content_hash}


@admin.register(GoLiveDecision)
class GoLiveDecisionAdmin(BackOfficeAdmin):
    """Read only; the last decision about a program says."""

    list_display = ("program", "outcome_label", "decided_at", "decided_by", "reason")
    list_filter = ("program",)
    list_select_related = ("decided_by", "audit_entry")
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/decision.html"
    actions_list: ClassVar[list[str]] = ["decide_now"]

    @display(description="Outcome", label={"live": "success", "stopped": "danger"})
    def outcome_label(self, decision: GoLiveDecision) -> tuple[str, str]:
        return decision.outcome, decision.get_outcome_display()

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, go_live.DECIDERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every box as it stood then."""
        decision = self.get_object(request, object_id)
        boxes = [] if decision is None else [{**one, "title": TITLES[Box(one["box"])]} for one in decision.boxes]
        context = {"decision": decision, "boxes": boxes}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Declare live, or stop",
        permissions=["decide"],
        variant=ActionVariant.PRIMARY,
        icon="rocket_launch",
        dialog={
            "title": "Is a program live?",
            "description": "It goes live with every box of the checklist closed, or excepted; every box is kept.",
            "form_class": DecisionForm,
            "form_submit_text": "Decide",
        },
    )
    def decide_now(self, request: HttpRequest, form: DecisionForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("program", "outcome", "reason")}
        return answer_dialog(
            request,
            call=lambda: go_live.decide(**given, actor=request.user, at=timezone.now()),
            success="The decision is kept.",
            back_to=reverse("admin:launch_golivedecision_changelist"),
        )


@admin.register(LaunchException)
class LaunchExceptionAdmin(BackOfficeAdmin):
    """Read only; signed by finance and ops."""

    list_display = ("__str__", "named", "standing", "ends_at", "proposed_by")
    list_filter = ("program",)
    list_select_related = ("proposed_by",)
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/exception.html"
    actions_list: ClassVar[list[str]] = ["propose_one"]
    actions_detail: ClassVar[list[str]] = ["sign_it"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LaunchException]:
        return super().get_queryset(request).prefetch_related("signatures")

    @display(description="May stand open")
    def named(self, asked: LaunchException) -> str:
        return titles_of(asked.boxes)

    @display(description="Standing", label={"counts": "success", "waits": "warning", "over": "none"})
    def standing(self, asked: LaunchException) -> tuple[str, str]:
        return standing_of(asked, at=timezone.now())

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, exceptions.PROPOSERS)

    def has_sign_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        asked = LaunchException.objects.filter(pk=object_id or 0).first()
        waits = asked is not None and standing_of(asked, at=timezone.now())[0] == "waits"
        return waits and roles.has_role(request.user, exceptions.SIGNERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What may stand open, why, until when, and who signed."""
        asked = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if asked is not None:
            state, word = standing_of(asked, at=timezone.now())
            context = {
                "asked": asked,
                "named": titles_of(asked.boxes),
                "word": word,
                "tone": {"counts": "success", "waits": "warning", "over": "none"}[state],
                "signatures": asked.signatures.select_related("person", "audit_entry"),
                "missing": exceptions.missing_roles(asked),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Propose an exception",
        permissions=["propose"],
        variant=ActionVariant.PRIMARY,
        icon="edit_document",
        dialog={
            "title": "Propose an exception",
            "description": "It counts once finance and ops signed it, two people, neither of them you.",
            "form_class": ExceptionForm,
            "form_submit_text": "Propose",
        },
    )
    def propose_one(self, request: HttpRequest, form: ExceptionForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("program", "boxes", "reason", "ends_at")}
        return answer_dialog(
            request,
            call=lambda: exceptions.propose_exception(**given, actor=request.user, at=timezone.now()),
            success="The exception is proposed and waits for two signatures.",
            back_to=reverse("admin:launch_launchexception_changelist"),
        )

    @action(
        description="Sign",
        permissions=["sign"],
        variant=ActionVariant.PRIMARY,
        icon="signature",
        dialog={
            "title": "Sign this exception",
            "description": "You sign what this page shows. With the second signature it counts, until its end.",
            "form_class": SignatureForm,
            "form_submit_text": "Sign",
        },
    )
    def sign_it(self, request: HttpRequest, form: SignatureForm, object_id: str) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("role", "content_hash")}
        return answer_dialog(
            request,
            call=lambda: exceptions.sign_exception(
                exception_id=int(object_id), **given, actor=request.user, at=timezone.now()
            ),
            success="Your signature is kept.",
            back_to=reverse("admin:launch_launchexception_change", args=[object_id]),
        )


def standing_of(asked: LaunchException, *, at: datetime) -> tuple[str, str]:
    """Over, waiting for signatures, or counting."""
    if asked.ends_at <= at:
        return "over", "Over"
    missing = exceptions.missing_roles(asked)
    return ("waits", f"Waits for {' and '.join(missing)}") if missing else ("counts", "Counts")
