"""Versions of the checklist's rules: proposed by one person, approved by another."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from compliance.launch import checklists
from compliance.launch.models import ChecklistVersion
from compliance.launch.rules import checklist
from compliance.launch.rules.boxes import TITLES, Box


class ProposalForm(BaseDialogForm):
    """The rules as JSON, beginning with those in force, and why they change."""

    terms = forms.JSONField(
        label="Rules",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18}),
        help_text="Hours for which a proof counts, and the role that answers for the box.",
    )
    reason = forms.CharField(max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_force = checklists.terms_of(checklists.in_force())
        self.fields["terms"].initial = json.dumps(checklist.write_checklist(in_force), indent=2)


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself."""


@admin.register(ChecklistVersion)
class ChecklistVersionAdmin(BackOfficeAdmin):
    """Read only; the next version is proposed in a dialog."""

    list_display = ("version", "standing", "reason", "proposed_by", "proposed_at", "approved_by")
    list_select_related = ("proposed_by", "approval__person")
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/checklist.html"
    actions_list: ClassVar[list[str]] = ["propose_next"]
    actions_detail: ClassVar[list[str]] = ["approve_it"]

    @display(description="Standing", label={"counts": "success", "proposed": "warning", "replaced": "none"})
    def standing(self, version: ChecklistVersion) -> tuple[str, str]:
        newest = checklists.in_force().version
        if version.version == newest:
            return "counts", "Counts"
        return ("proposed", "Waits for approval") if version.version > newest else ("replaced", "Replaced")

    @display(description="Approved by")
    def approved_by(self, version: ChecklistVersion) -> str:
        approval = getattr(version, "approval", None)
        return "—" if approval is None else str(approval.person)

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, checklists.KEEPERS)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        version = ChecklistVersion.objects.filter(pk=object_id or 0).first()
        waits = version is not None and version.version > checklists.in_force().version
        return waits and roles.has_role(request.user, checklists.KEEPERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every box with its rule, beside the rule that counts."""
        version = self.get_object(request, object_id)
        context = {} if version is None else _context(version)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Propose the next version",
        permissions=["propose"],
        variant=ActionVariant.PRIMARY,
        icon="edit_document",
        dialog={
            "title": "Propose the rules of the checklist",
            "description": "They count once a colleague approves them.",
            "form_class": ProposalForm,
            "form_submit_text": "Propose",
        },
    )
    def propose_next(self, request: HttpRequest, form: ProposalForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("terms", "reason")}
        return answer_dialog(
            request,
            call=lambda: checklists.propose_version(**given, actor=request.user, at=timezone.now()),
            success="The version is proposed; a colleague has to approve it.",
            back_to=reverse("admin:launch_checklistversion_changelist"),
        )

    @action(
        description="Approve",
        permissions=["approve"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Approve these rules",
            "description": "Proofs are too old by these rules from now on.",
            "form_class": ConfirmForm,
            "form_submit_text": "Approve",
        },
    )
    def approve_it(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        version = ChecklistVersion.objects.get(pk=object_id).version
        return answer_dialog(
            request,
            call=lambda: checklists.approve_version(version=version, actor=request.user, at=timezone.now()),
            success="Approved.",
            back_to=reverse("admin:launch_checklistversion_change", args=[object_id]),
        )


def _context(version: ChecklistVersion) -> dict[str, Any]:
    rules, counting = checklists.terms_of(version).rules, checklists.terms_of(checklists.in_force()).rules
    rows = [
        {"title": TITLES[box], "rule": rules[box], "counting": counting[box], "differs": rules[box] != counting[box]}
        for box in Box
    ]
    return {"version": version, "rows": rows, "in_force": checklists.in_force()}
