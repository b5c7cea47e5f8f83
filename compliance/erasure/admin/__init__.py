"""Erasure in the back office: ask, see what would go and what stays, decide."""

from datetime import UTC
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from compliance.erasure import decide, persons, plan, retention
from compliance.erasure.admin.forms import ApproveForm, AskForm, RefuseForm, RetentionForm
from compliance.erasure.models import ErasureRequest, RetentionRule
from compliance.erasure.rules.refusals import REFUSALS

Status = ErasureRequest.Status
TONES = {Status.ASKED: "warning", Status.ERASED: "success", Status.REFUSED: "none"}
ASK = ActionDialog(
    title="Ask that a person is erased",
    description="Nothing is erased before somebody of finance has looked at what goes and what stays.",
    form_class=AskForm,
    form_submit_text="Ask",
)
APPROVE = ActionDialog(
    title="Erase this person now",
    description="The keys are destroyed. Nobody can bring back what they sealed.",
    form_class=ApproveForm,
    form_submit_text="Erase for good",
)
REFUSE = ActionDialog(
    title="Refuse this request",
    description="It stays on record, and may be asked anew.",
    form_class=RefuseForm,
    form_submit_text="Refuse",
)

NEW_VERSION = ActionDialog(
    title="How long invoices are kept",
    description="The new version counts from its instant on, for documents of any age.",
    form_class=RetentionForm,
    form_submit_text="Add version",
)


@admin.register(ErasureRequest)
class ErasureRequestAdmin(BackOfficeAdmin):
    """Asked by ops, decided by finance, two persons."""

    list_display = ("number", "who", "kind", "state", "reference", "asked", "asked_by", "decided_by")
    list_filter = ("status", "kind")
    search_fields = ("reference", "customer__code", "payee__code")
    list_select_related = ("customer", "portal_user__customer", "payee", "asked_by", "decided_by")
    fields: ClassVar[list[str]] = []
    change_form_template = "erasure/request.html"
    actions_list: ClassVar[list[str]] = ["ask_it"]
    actions_detail: ClassVar[list[str]] = ["erase_it", "refuse_it"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        context = {} if found is None else page_context(found)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="Request", ordering="pk")
    def number(self, request: ErasureRequest) -> str:
        return str(request)

    @display(description="Asked (UTC)", ordering="asked_at")
    def asked(self, request: ErasureRequest) -> str:
        return f"{request.asked_at:%d %b %Y %H:%M}"

    @display(description="Who")
    def who(self, request: ErasureRequest) -> str:
        return persons.person_of(request).code

    @display(description="State", label={str(status.label): TONES[status] for status in Status})
    def state(self, request: ErasureRequest) -> str:
        return request.get_status_display()

    def has_ask_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, decide.ASKERS)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        open_ones = ErasureRequest.objects.filter(pk=object_id or 0, status=Status.ASKED)
        return roles.has_role(request.user, decide.DECIDERS) and open_ones.exists()

    @action(
        description="Ask for an erasure",
        permissions=["ask"],
        variant=ActionVariant.PRIMARY,
        icon="person_remove",
        dialog=ASK,
    )
    def ask_it(self, request: HttpRequest, form: AskForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("kind", "code", "ground", "reference")}
        return answer_dialog(
            request,
            call=lambda: decide.ask_erasure(**given, actor=request.user, at=timezone.now()),
            success="It waits for somebody of finance.",
            back_to=reverse("admin:erasure_erasurerequest_changelist"),
        )

    @action(
        description="Erase",
        permissions=["decide"],
        variant=ActionVariant.DANGER,
        icon="delete_forever",
        dialog=APPROVE,
    )
    def erase_it(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: decide.approve_erasure(request_id=int(object_id), actor=request.user, at=timezone.now()),
            success="Erased.",
            back_to=reverse("admin:erasure_erasurerequest_change", args=[object_id]),
        )

    @action(description="Refuse", permissions=["decide"], icon="block", dialog=REFUSE)
    def refuse_it(self, request: HttpRequest, form: RefuseForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: decide.refuse_erasure(
                request_id=int(object_id),
                refusal=form.cleaned_data["refusal"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="Refused.",
            back_to=reverse("admin:erasure_erasurerequest_change", args=[object_id]),
        )


def page_context(request: ErasureRequest) -> dict[str, Any]:
    """What would happen now, or what was done."""
    person = persons.person_of(request)
    return {
        "asked": request,
        "who": person.code,
        "tone": TONES[Status(request.status)],
        "refusal": dict(REFUSALS).get(request.refusal, request.refusal),
        "planned": plan.plan_of(person, at=timezone.now()) if request.status == Status.ASKED else None,
        "proofs": [(proof, plan.kept_by(proof)) for proof in request.erasures.select_related("audit_entry")],
    }


@admin.register(RetentionRule)
class RetentionRuleAdmin(BackOfficeAdmin):
    """How long invoices are kept, by the country of the seller; the next version follows, none is edited."""

    list_display = ("country_name", "years", "basis", "in_force", "author")
    fields = list_display
    readonly_fields = list_display
    list_filter = ("country",)
    list_select_related = ("created_by",)
    actions_list: ClassVar[list[str]] = ["new_version"]

    def has_set_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.FINANCE])

    @action(
        description="New version",
        permissions=["set"],
        variant=ActionVariant.PRIMARY,
        icon="history_toggle_off",
        dialog=NEW_VERSION,
    )
    def new_version(self, request: HttpRequest, form: RetentionForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("country", "years", "effective_at", "basis")}
        return answer_dialog(
            request,
            call=lambda: retention.set_retention(**given, actor=request.user, at=timezone.now()),
            success="The version is added.",
            back_to=reverse("admin:erasure_retentionrule_changelist"),
        )

    @display(description="Country of the seller", ordering="country")
    def country_name(self, rule: RetentionRule) -> str:
        return rule.country or "all others"

    @display(description="In force from (UTC)", ordering="effective_at")
    def in_force(self, rule: RetentionRule) -> str:
        return f"{rule.effective_at.astimezone(UTC):%d %b %Y %H:%M}"

    @display(description="Set by", ordering="created_by__username")
    def author(self, rule: RetentionRule) -> str:
        return "came with the product" if rule.created_by is None else str(rule.created_by)
