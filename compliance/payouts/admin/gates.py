"""The queue of gate checks, and the page on which one is decided."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_in_dialog
from accounts.roles import Role
from compliance.payouts import desk, downloads, evidence, gates
from compliance.payouts.admin.base import ReadingPage, amount_of, row_id
from compliance.payouts.admin.forms import ApprovalForm, VerdictForm
from compliance.payouts.desk import GateView
from compliance.payouts.models import EvidenceFile, GateCheck
from compliance.payouts.models.gates import EVIDENCE_BYTES_MAX, STATE_LABELS
from compliance.payouts.rules import lifecycle
from compliance.payouts.rules.gates import GateState
from compliance.payouts.rules.lifecycle import Verdict
from core.errors import DomainError

TONES = {
    "not_started": "info",
    "pending": "info",
    "needs_review": "warning",
    "approved": "success",
    "expiring": "warning",
    "expired": "danger",
    "rejected": "danger",
    "suspended": "danger",
}
LABELS = dict(STATE_LABELS)
PAPER_READERS = frozenset({Role.OPS, Role.AUDITOR})


class StateFilter(admin.SimpleListFilter):
    """The state at this instant; without a choice, everything that somebody has to decide."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*STATE_LABELS, ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[GateCheck]) -> QuerySet[GateCheck]:
        wanted = self.value()
        if wanted == "all":
            return queryset
        states = desk.TO_DECIDE if wanted is None else [GateState(wanted)] if wanted in LABELS else []
        return queryset.filter(desk.states(states, at=timezone.now()))

    def choices(self, changelist: Any) -> Any:
        to_decide, *rest = super().choices(changelist)
        return [{**to_decide, "display": "To decide"}, *rest]


class QueueList(ChangeList):
    """Looks at one page of checks with a fixed number of queries."""

    result_list: list[Any]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        checks = list(self.result_list)
        for check, view in zip(checks, desk.look_at(checks, at=timezone.now()), strict=True):
            check.view = view
        self.result_list = checks


def verdict_action(verdict: Verdict, *, name: str, label: str, icon: str, title: str, description: str) -> Any:
    """A button with a dialog for one verdict, shown where the table of moves allows it."""
    is_approval = verdict == Verdict.APPROVE
    form_class: Any = ApprovalForm if is_approval else VerdictForm
    dialog = ActionDialog(title=title, description=description, form_class=form_class, form_submit_text=label)

    def decide_it(_page: "GateCheckAdmin", request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return answer_in_dialog(
            request,
            form,
            dialog=dialog,
            call=lambda: gates.decide_gate(
                check_id=row_id(object_id),
                verdict=verdict,
                reason=form.cleaned_data["reason"],
                evidence=form.cleaned_data["evidence"],
                expires_at=form.expires_at() if is_approval else None,
                actor=request.user,
                at=timezone.now(),
            ),
            success=f"{label}: done.",
            back_to=lambda _: reverse("admin:payouts_gatecheck_change", args=[object_id]),
        )

    decide_it.__name__ = name  # unfold finds the action by it
    variant = ActionVariant.PRIMARY if is_approval else ActionVariant.DEFAULT
    return action(decide_it, description=label, permissions=[str(verdict)], variant=variant, icon=icon, dialog=dialog)


def may_give(verdict: Verdict) -> Callable[..., bool]:
    """The role, and the table of moves; the stage asks both once more."""

    def may(_page: "GateCheckAdmin", request: HttpRequest, object_id: str | None = None) -> bool:
        if not roles.has_role(request.user, [Role.OPS]):
            return False
        stored = GateCheck.objects.filter(pk=row_id(object_id)).values_list("state", flat=True).first()
        return stored is not None and lifecycle.is_allowed(stored=stored, verdict=verdict)

    return may


@admin.register(GateCheck)
class GateCheckAdmin(ReadingPage, HistoryAdmin):
    """Most urgent first; every decision is a dialog that asks for its grounds."""

    page_template = "payouts/gate_check.html"
    list_display = ("who", "gate", "state_label", "time_left", "waits", "where")
    list_filter = (StateFilter, "kind", "payee__program", "payee__market")
    search_fields = ("payee__code", "payee__legal_name")
    actions_detail: ClassVar[list[str]] = [
        "approve_gate",
        "send_to_review",
        "ask_for_documents",
        "suspend_gate",
        "reject_gate",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[GateCheck]:
        return desk.queue(at=timezone.now())

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return desk.QUEUE_ORDER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueList

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        mine = [
            path("<int:check_id>/evidence/", wrap(self.add_file), name="payouts_gatecheck_evidence"),
            path("<int:check_id>/evidence/<int:file_id>/", wrap(self.file), name="payouts_gatecheck_file"),
        ]
        return [*mine, *super().get_urls()]

    def page_context(self, request: HttpRequest, obj: GateCheck) -> dict[str, Any]:
        view = desk.look_at([obj], at=timezone.now())[0]
        return {
            "view": view,
            "state_label": LABELS[view.state],
            "tone": TONES[view.state],
            "time_left": time_left(view),
            "sums": sums(view),
            "decisions": obj.decisions.select_related("actor", "audit_entry").order_by("-pk"),
            "files": obj.evidence_files.defer("content").select_related("added_by"),
            "may_read_files": roles.has_role(request.user, PAPER_READERS),
            "may_add_files": roles.has_role(request.user, [Role.OPS]),
            "is_own_payee": obj.payee.created_by_id == request.user.pk,
        }

    def add_file(self, request: HttpRequest, check_id: int) -> HttpResponse:
        if not roles.has_role(request.user, [Role.OPS]):
            raise PermissionDenied
        return require_POST(self._add_file)(request, check_id)

    def _add_file(self, request: HttpRequest, check_id: int) -> HttpResponse:
        page = redirect("admin:payouts_gatecheck_change", check_id)
        sent = request.FILES.get("document")
        if sent is None:
            messages.error(request, "Choose a document first.")
            return page
        try:
            content = sent.read(EVIDENCE_BYTES_MAX + 1)
            now = timezone.now()
            evidence.add_file(check_id=check_id, name=sent.name or "", content=content, actor=request.user, at=now)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The document is stored.")
        return page

    def file(self, request: HttpRequest, check_id: int, file_id: int) -> HttpResponse:
        """The papers of a person are shown to those who decide and those who audit."""
        if not roles.has_role(request.user, PAPER_READERS):
            return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
        file = EvidenceFile.objects.filter(gate_check=check_id, pk=file_id).first()
        if file is None:
            raise Http404
        try:
            return downloads.evidence_response(file)
        except downloads.DocumentErasedError as error:
            return HttpResponse(error.message, status=error.http_status, content_type="text/plain")

    has_approve_permission = may_give(Verdict.APPROVE)
    has_review_permission = may_give(Verdict.REVIEW)
    has_request_permission = may_give(Verdict.REQUEST)
    has_suspend_permission = may_give(Verdict.SUSPEND)
    has_reject_permission = may_give(Verdict.REJECT)

    approve_gate = verdict_action(
        Verdict.APPROVE,
        name="approve_gate",
        label="Approve",
        icon="verified_user",
        title="Open this gate",
        description="From now on it does not stop money to this payee, until it ends or somebody shuts it.",
    )
    send_to_review = verdict_action(
        Verdict.REVIEW,
        name="send_to_review",
        label="Send to review",
        icon="rate_review",
        title="Somebody has to look at this",
        description="The gate is shut until it is approved.",
    )
    ask_for_documents = verdict_action(
        Verdict.REQUEST,
        name="ask_for_documents",
        label="Ask for documents",
        icon="outgoing_mail",
        title="Documents are asked for",
        description="The gate is shut until they are here and approved. Say what was asked for.",
    )
    suspend_gate = verdict_action(
        Verdict.SUSPEND,
        name="suspend_gate",
        label="Suspend",
        icon="block",
        title="Shut this gate at once",
        description="No release lets money through any more; only a review can open it again.",
    )
    reject_gate = verdict_action(
        Verdict.REJECT,
        name="reject_gate",
        label="Reject",
        icon="gpp_bad",
        title="Reject",
        description="The payee does not pass this gate; only a review can take it up again.",
    )

    @display(description="Payee", header=True)
    def who(self, check: Any) -> list[str]:
        return [check.payee.legal_name, check.payee.code]

    @display(description="Gate")
    def gate(self, check: Any) -> str:
        return str(check.get_kind_display())

    @display(description="State", label=TONES)
    def state_label(self, check: Any) -> tuple[str, str]:
        return check.view.state, LABELS[check.view.state]

    @display(description="Time left")
    def time_left(self, check: Any) -> str:
        return time_left(check.view)

    @display(description="Money that waits for it")
    def waits(self, check: Any) -> str:
        view: GateView = check.view
        if not view.owed:
            return "—" if view.is_required else "not required now"
        return format_html('<span class="bo-money">{}</span>', " + ".join(sums(view)))

    @display(description="Program and market")
    def where(self, check: Any) -> str:
        return f"{check.payee.program} · {check.payee.market}"


def sums(view: GateView) -> list[str]:
    return [amount_of(amount, currency) for currency, amount in view.owed]


def time_left(view: GateView) -> str:
    if view.days_left is None:
        return "no end" if view.state == GateState.APPROVED else "—"
    if view.state == GateState.EXPIRED:
        return f"ended {view.check.expires_at:%d %b %Y}"
    return "last day" if view.days_left == 0 else f"{view.days_left} day{'s' * (view.days_left != 1)}"
