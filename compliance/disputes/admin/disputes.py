"""The desk of disputes: what is open, with whom and until when; one page per dispute with what may be done about it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import ID_DIGITS_MAX, BackOfficeAdmin, answer_dialog
from compliance.disputes import decide, fixing, keeping, opening, queries, rebuild, talk
from compliance.disputes import letter as letters
from compliance.disputes.admin import forms, lists, page
from compliance.disputes.models import Dispute
from compliance.disputes.opening import Claim
from compliance.disputes.rules import lifecycle
from invoicing.cycle import collection


@admin.register(Dispute)
class DisputeAdmin(BackOfficeAdmin):
    """Nothing is edited: every change is one of the stage functions."""

    list_display = ("name", "customer", "why", "step", "with_whom", "due", "update_due", "opened")
    list_filter: ClassVar[Any] = [
        lists.StepFilter,
        lists.OverdueFilter,
        "path",
        "owner_role",
        "outcome",
        "reason",
        lists.CollectionFilter,
    ]
    list_filter_submit = False
    search_fields = ("invoice__number", "customer__code", "customer__legal_name")
    fields: ClassVar[list[str]] = []
    change_form_template = "disputes/dispute.html"
    actions_list: ClassVar[list[str]] = ["open_new"]
    actions_detail: ClassVar[Any] = [
        "uphold",
        "reject",
        "link_fix",
        "write_update",
        {
            "title": "More",
            "icon": "more_horiz",
            "items": ["write_remark", "rebuild", "assign", "hold_collection", "lift_collection", "withdraw"],
        },
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return queries.all_disputes()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["due_at", "-pk"]  # PostgreSQL puts those without one, which are closed, last

    def get_urls(self) -> list[URLPattern]:
        letter = path(
            "<path:object_id>/letter/", self.admin_site.admin_view(self.letter), name="disputes_dispute_letter"
        )
        return [letter, *super().get_urls()]

    def letter(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The letter as PDF; for all staff."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        is_id = object_id.isascii() and object_id.isdecimal() and len(object_id) <= ID_DIGITS_MAX
        found = queries.find_letter(int(object_id)) if is_id else None
        if found is None:
            raise Http404
        name = f'inline; filename="dispute-{object_id}.pdf"'
        content = letters.content_of(found)
        return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        dispute = self.get_object(request, object_id)
        context = {} if dispute is None else page.page_context(dispute, now=timezone.now())
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    # Who may do what at which step: the stage asks again.

    def has_open_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, opening.OPENERS)

    def has_uphold_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._is_at(object_id, to=(lifecycle.CORRECTING, lifecycle.UPHELD)) and _has(request, decide.DECIDERS)

    def has_reject_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._is_at(object_id, to=(lifecycle.CLOSED, lifecycle.REJECTED)) and _has(request, decide.DECIDERS)

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._is_at(object_id, to=(lifecycle.CLOSED, lifecycle.WITHDRAWN)) and _has(request, decide.DECIDERS)

    def has_rebuild_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._is_at(object_id, to=(lifecycle.EVIDENCE, "")) and _has(request, rebuild.ASKERS)

    def has_update_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = self._find(object_id)
        return found is not None and found.status != lifecycle.CLOSED and _has(request, talk.UPDATERS)

    def has_remark_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _has(request, talk.WRITERS)

    def has_assign_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = self._find(object_id)
        return found is not None and found.status != lifecycle.CLOSED and _has(request, keeping.ASSIGNERS)

    def has_fix_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = self._find(object_id)
        return found is not None and found.status == lifecycle.CORRECTING and _has(request, fixing.LINKERS)

    def has_hold_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = self._find(object_id)
        is_open = found is not None and found.status != lifecycle.CLOSED and collection.open_hold(found.invoice) is None
        return is_open and _has(request, keeping.COLLECTORS)

    def has_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = self._find(object_id)
        return (
            found is not None and collection.open_hold(found.invoice) is not None and _has(request, keeping.COLLECTORS)
        )

    def _find(self, object_id: str | None) -> Dispute | None:
        text = str(object_id)
        return Dispute.objects.select_related("invoice").filter(pk=int(text)).first() if text.isdecimal() else None

    def _is_at(self, object_id: str | None, *, to: tuple[str, str]) -> bool:
        found = self._find(object_id)
        return found is not None and lifecycle.is_allowed(found.status, to[0], outcome=to[1])

    # Columns

    @display(description="Dispute", header=True)
    def name(self, dispute: Dispute) -> list[str]:
        hold = "invoice on hold for collection" if getattr(dispute, "is_on_hold", False) else ""
        return [dispute.subject, hold]

    @display(description="Why")
    def why(self, dispute: Dispute) -> str:
        return dispute.get_reason_display()

    @display(description="Step", label=page.TONES)
    def step(self, dispute: Dispute) -> tuple[str, str]:
        label = dispute.get_outcome_display() if dispute.status == lifecycle.CLOSED else dispute.get_status_display()
        return dispute.status, label

    @display(description="With")
    def with_whom(self, dispute: Dispute) -> str:
        if dispute.status == lifecycle.CLOSED:
            return "—"
        return f"{dispute.owner} ({dispute.owner_role})" if dispute.owner else f"anybody in {dispute.owner_role}"

    @display(description="Due", ordering="due_at")
    def due(self, dispute: Dispute) -> str:
        return _due(dispute.due_at)

    @display(description="Next update", ordering="update_due_at")
    def update_due(self, dispute: Dispute) -> str:
        return _due(dispute.update_due_at)

    @display(description="Opened (UTC)", ordering="opened_at")
    def opened(self, dispute: Dispute) -> str:
        return f"{dispute.opened_at:%d %b %Y %H:%M}"

    # What may be done

    @action(
        description="Open a dispute",
        permissions=["open"],
        variant=ActionVariant.PRIMARY,
        icon="add",
        dialog={
            "title": "Open a dispute for a customer",
            "description": "The evidence is rebuilt at once in the background. The invoice itself stays what it is.",
            "form_class": forms.OpenForm,
            "form_submit_text": "Open",
        },
    )
    def open_new(self, request: HttpRequest, form: forms.OpenForm) -> HttpResponse:
        given = form.cleaned_data
        claim = Claim(
            invoice_id=given["number"].pk, position=given["position"], reason=given["reason"], text=given["text"]
        )
        return answer_dialog(
            request,
            call=lambda: opening.open_for_staff(
                claim=claim, origin=Dispute.Origin.BACK_OFFICE, actor=request.user, at=timezone.now()
            ),
            success="The dispute is open; its evidence is being rebuilt.",
            back_to=reverse("admin:disputes_dispute_changelist"),
        )

    @action(
        description="Uphold",
        permissions=["uphold"],
        variant=ActionVariant.PRIMARY,
        icon="thumb_up",
        dialog={
            "title": "Uphold: the customer is right",
            "description": (
                "A letter is written, for download with the pack. The correction follows by the usual paths: at the "
                "source event, or by a credit note with its delta report. Link it here."
            ),
            "form_class": forms.AnswerForm,
            "form_submit_text": "Uphold",
        },
    )
    def uphold(self, request: HttpRequest, form: forms.AnswerForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, decide.uphold, "Upheld. Link what corrects it.", **_answer(form))

    @action(
        description="Reject",
        permissions=["reject"],
        variant=ActionVariant.DEFAULT,
        icon="gavel",
        dialog={
            "title": "Reject: the bill stands",
            "description": "A letter is written, for download with the pack. This closes the dispute.",
            "form_class": forms.AnswerForm,
            "form_submit_text": "Reject",
        },
    )
    def reject(self, request: HttpRequest, form: forms.AnswerForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, decide.reject, "Rejected. The letter is written.", **_answer(form))

    @action(
        description="Update the customer",
        permissions=["update"],
        icon="forum",
        dialog={
            "title": "Tell the customer how it stands",
            "description": "They see it in the portal. The next update is due from now.",
            "form_class": forms.UpdateForm,
            "form_submit_text": "Tell",
        },
    )
    def write_update(self, request: HttpRequest, form: forms.UpdateForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, talk.write_update, "The customer is told.", text=_said(form, "text"))

    @action(
        description="Internal remark",
        permissions=["remark"],
        icon="sticky_note_2",
        dialog={
            "title": "A remark for colleagues",
            "description": "The customer never sees it.",
            "form_class": forms.RemarkForm,
            "form_submit_text": "Keep",
        },
    )
    def write_remark(self, request: HttpRequest, form: forms.RemarkForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, talk.write_remark, "Kept.", text=_said(form, "text"))

    @action(
        description="Link the correction",
        permissions=["fix"],
        variant=ActionVariant.PRIMARY,
        icon="link",
        dialog={
            "title": "What corrects it?",
            "description": "Either a document or a delta report. The dispute closes once a document of it is issued.",
            "form_class": forms.FixForm,
            "form_submit_text": "Link",
        },
    )
    def link_fix(self, request: HttpRequest, form: forms.FixForm, object_id: str) -> HttpResponse:
        document, report = form.cleaned_data["document"], form.cleaned_data["delta_report"]
        return _do(
            request,
            object_id,
            fixing.link_fix,
            "Linked.",
            document_id=document.pk if document else None,
            delta_report_id=report.pk if report else None,
            keep_hold=_said(form, "keep_hold"),
        )

    @action(
        description="Rebuild evidence",
        permissions=["rebuild"],
        icon="replay",
        dialog={
            "title": "Rebuild the evidence",
            "description": "After a repair, or because of something new. The rule decides the path again.",
            "form_class": forms.WhyForm,
            "form_submit_text": "Rebuild",
        },
    )
    def rebuild(self, request: HttpRequest, form: forms.WhyForm, object_id: str) -> HttpResponse:
        return _do(
            request, object_id, rebuild.ask_again, "The evidence is being rebuilt.", reason=_said(form, "reason")
        )

    @action(
        description="Assign",
        permissions=["assign"],
        icon="person",
        dialog={
            "title": "Who has this step?",
            "description": "Somebody in the role that owns it; whoever takes it is answerable for the due time.",
            "form_class": forms.AssignForm,
            "form_submit_text": "Assign",
        },
    )
    def assign(self, request: HttpRequest, form: forms.AssignForm, object_id: str) -> HttpResponse:
        owner = form.cleaned_data["owner"]
        return _do(request, object_id, keeping.assign, "Assigned.", username=owner.username if owner else "")

    @action(
        description="Hold collection",
        permissions=["hold"],
        icon="pause_circle",
        dialog={
            "title": "Do not collect this invoice for now",
            "description": (
                "What is owed stays owed, and the invoice stays what it is. The customer is told. The hold ends when "
                "the dispute closes, unless somebody says then why it stays."
            ),
            "form_class": forms.WhyForm,
            "form_submit_text": "Hold collection",
        },
    )
    def hold_collection(self, request: HttpRequest, form: forms.WhyForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, keeping.hold_collection, "On hold for collection.", reason=_said(form, "reason"))

    @action(
        description="Collect again",
        permissions=["lift"],
        icon="play_circle",
        dialog={
            "title": "Collect this invoice again",
            "description": "The customer is told.",
            "form_class": forms.WhyForm,
            "form_submit_text": "Collect again",
        },
    )
    def lift_collection(self, request: HttpRequest, form: forms.WhyForm, object_id: str) -> HttpResponse:
        return _do(request, object_id, keeping.lift_collection, "Collected as usual.", reason=_said(form, "reason"))

    @action(
        description="Withdraw",
        permissions=["withdraw"],
        icon="undo",
        dialog={
            "title": "The customer takes it back",
            "description": "This closes the dispute without a letter.",
            "form_class": forms.WithdrawForm,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw(self, request: HttpRequest, form: forms.WithdrawForm, object_id: str) -> HttpResponse:
        given = {"reason": _said(form, "reason"), "keep_hold": _said(form, "keep_hold")}
        return _do(request, object_id, decide.withdraw, "Withdrawn.", **given)


def _has(request: HttpRequest, held: Any) -> bool:
    return roles.has_role(request.user, held)


def _said(form: Any, name: str) -> str:
    """What a dialog was given; nothing where it did not ask."""
    return str(form.cleaned_data.get(name, ""))


def _answer(form: Any) -> dict[str, str]:
    return {"answer": _said(form, "answer"), "keep_hold": _said(form, "keep_hold")}


def _do(
    request: HttpRequest, object_id: str, call: Callable[..., object], success: str, **arguments: Any
) -> HttpResponse:
    return answer_dialog(
        request,
        call=lambda: call(dispute_id=int(object_id), **arguments, actor=request.user, at=timezone.now()),
        success=success,
        back_to=reverse("admin:disputes_dispute_change", args=[object_id]),
    )


def _due(due_at: Any) -> str:
    now = timezone.now()
    text = lists.due_text(due_at, now=now)
    if due_at is None:
        return text
    tone = "danger" if due_at <= now else "none"
    return format_html(
        '<span class="bo-tag bo-tag-{}" title="{} UTC">{}</span>', tone, f"{due_at:%d %b %Y %H:%M}", text
    )
