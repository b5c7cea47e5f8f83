"""The base of the pages of proposed versions: the decisions are on it, for who may take them."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts import backoffice, roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.pricing.models import ProposalStatus
from invoicing.pricing.proposals import APPROVERS, AUTHORS

STATUS_TONES = {"proposed": "info", "approved": "success", "withdrawn": ""}
DECISION = ("status", "proposed_by", "proposed_at", "in_the_way", "decided_by", "decided_at")


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class ProposalAdmin(BackOfficeAdmin):
    """Read only but for its one decision: approved by another person than its author, or withdrawn."""

    approve_version: ClassVar[Any]
    withdraw_version: ClassVar[Any]
    actions_detail: ClassVar[list[str]] = ["approve", "withdraw"]

    @display(description="Status", label=STATUS_TONES)
    def status_label(self, version: Any) -> tuple[str, str]:
        return version.status, version.get_status_display()

    @display(description="Proposed by")
    def proposed_by(self, version: Any) -> str:
        return str(version.created_by or "before approvals were asked for")

    @display(description="Proposed at")
    def proposed_at(self, version: Any) -> str:
        return f"{version.created_at:%d %b %Y %H:%M} UTC"

    @display(description="What stands in the way")
    def in_the_way(self, version: Any) -> SafeString | str:
        """What would be refused if it were approved now."""
        is_open = version.status == ProposalStatus.PROPOSED
        return backoffice.in_the_way(version, at=timezone.now()) if is_open else "—"

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        version = self._proposed(object_id)
        is_own = version is not None and version.created_by_id == request.user.pk
        return version is not None and not is_own and roles.has_role(request.user, APPROVERS)

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._proposed(object_id) is not None and roles.has_role(request.user, AUTHORS)

    @action(
        description="Approve",
        permissions=["approve"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Approve this version",
            "description": "It counts from its instant on, for every period that is not billed yet, and never changes.",
            "form_class": ConfirmForm,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        decide = type(self).approve_version
        return self._answer(
            request, object_id, lambda: decide(pk=int(object_id), actor=request.user, at=timezone.now()), "Approved."
        )

    @action(
        description="Withdraw",
        permissions=["withdraw"],
        icon="block",
        dialog={
            "title": "Withdraw this version",
            "description": "It is kept for the record and never counts.",
            "form_class": ConfirmForm,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        decide = type(self).withdraw_version
        return self._answer(
            request, object_id, lambda: decide(pk=int(object_id), actor=request.user, at=timezone.now()), "Withdrawn."
        )

    def _proposed(self, object_id: str | None) -> Any:
        if object_id is None:
            return None
        versions: Any = self.model
        return versions.objects.filter(pk=int(object_id), status=ProposalStatus.PROPOSED).first()

    def _answer(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse(f"admin:pricing_{self.model._meta.model_name}_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)
