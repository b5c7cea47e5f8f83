"""Moves of all subscriptions of a plan: proposed in a dialog, looked at as a dry run, decided on their page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.effects import moves, queries
from invoicing.effects.admin import page
from invoicing.effects.models import MoveItem, PlanMove
from invoicing.pricing.backoffice import STATUS_TONES, ConfirmForm
from invoicing.pricing.models import Plan, ProposalStatus
from invoicing.pricing.proposals import APPROVERS, AUTHORS


class MoveForm(BaseDialogForm):
    """Whose subscriptions move, where to, and when."""

    source = forms.ModelChoiceField(Plan.objects.all(), label="Everybody on", widget=UnfoldAdminSelectWidget())
    target = forms.ModelChoiceField(
        Plan.objects.all(),
        label="Move to",
        help_text="The same plan: older prices that subscriptions keep end then.",
        widget=UnfoldAdminSelectWidget(),
    )
    effective_at = forms.DateTimeField(
        label="At (UTC)",
        help_text="A period that is running is split at this instant.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
    )


@admin.register(PlanMove)
class PlanMoveAdmin(BackOfficeAdmin):
    """Nothing here is edited; a dry run is made with each proposal."""

    list_display = ("__str__", "status_label", "created_by", "decided_by", "finished_at")
    list_filter = ("status", "source")
    list_select_related = ("source", "target", "created_by", "decided_by")
    fields: ClassVar[Any] = (
        "source",
        "target",
        "effective_at",
        "status",
        "proposed_by",
        "proposed_at",
        "decided_by",
        "decided_at",
    )
    readonly_fields = fields
    change_form_outer_after_template = "effects/move.html"
    actions_list: ClassVar[list[str]] = ["propose"]
    actions_detail: ClassVar[list[str]] = ["approve", "withdraw"]

    @display(description="Status", label=STATUS_TONES)
    def status_label(self, move: PlanMove) -> tuple[str, str]:
        return move.status, move.get_status_display()

    @display(description="Proposed by")
    def proposed_by(self, move: PlanMove) -> str:
        return str(move.created_by)

    @display(description="Proposed at")
    def proposed_at(self, move: PlanMove) -> str:
        return f"{move.created_at:%d %b %Y %H:%M} UTC"

    def has_propose_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, AUTHORS)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        move = self._proposed(object_id)
        return move is not None and move.created_by_id != request.user.pk and roles.has_role(request.user, APPROVERS)

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._proposed(object_id) is not None and roles.has_role(request.user, AUTHORS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below stand what became of each subscription, and the dry run."""
        move = self.get_object(request, object_id)
        context = {**(extra_context or {}), **({} if move is None else self._context(move))}
        response = super().change_view(request, object_id, form_url, context)
        if context.get("is_running"):
            response.headers["Refresh"] = str(page.REFRESH_SECONDS)
        return response

    @action(
        description="Propose a move",
        permissions=["propose"],
        variant=ActionVariant.PRIMARY,
        icon="move_group",
        dialog={
            "title": "Move all subscriptions of a plan",
            "description": "First a dry run says what it would have cost each customer; nothing moves before approval.",
            "form_class": MoveForm,
            "form_submit_text": "Propose",
        },
    )
    def propose(self, request: HttpRequest, form: MoveForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("source", "target", "effective_at")}
        return answer_dialog(
            request,
            call=lambda: moves.propose_move(**given, actor=request.user, at=timezone.now()),
            success="The move is proposed; its dry run is being made.",
            back_to=reverse("admin:effects_planmove_changelist"),
        )

    @action(
        description="Approve",
        permissions=["approve"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Approve this move",
            "description": "A worker moves every subscription that is on the plan then. Look at the dry run first.",
            "form_class": ConfirmForm,
            "form_submit_text": "Approve",
        },
    )
    def approve(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: moves.approve_move(move_id=int(object_id), actor=request.user, at=timezone.now()),
            "Approved; the subscriptions are being moved.",
        )

    @action(
        description="Withdraw",
        permissions=["withdraw"],
        icon="block",
        dialog={
            "title": "Withdraw this move",
            "description": "It is kept for the record and moves nobody.",
            "form_class": ConfirmForm,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: moves.withdraw_move(move_id=int(object_id), actor=request.user, at=timezone.now()),
            "Withdrawn.",
        )

    def _context(self, move: PlanMove) -> dict[str, Any]:
        run = move.effect_runs.order_by("-pk").first()
        refused = move.items.filter(state=MoveItem.State.REFUSED).select_related("subscription__customer")
        is_moving = move.status == ProposalStatus.APPROVED and move.finished_at is None
        return {
            "move": move,
            "progress": queries.progress_of(move),
            "refused": refused[: page.ROWS_MAX],
            "is_running": is_moving or (run is not None and run.finished_at is None),
            **({} if run is None else page.run_context(run)),
        }

    def _proposed(self, object_id: str | None) -> PlanMove | None:
        proposed = PlanMove.objects.filter(status=ProposalStatus.PROPOSED)
        return None if object_id is None else proposed.filter(pk=int(object_id)).first()

    def _answer(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse("admin:effects_planmove_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)
