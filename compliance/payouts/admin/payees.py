"""Payees, and the gates that their programs ask for."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, HistoryAdmin, answer_in_dialog
from accounts.roles import Role
from compliance.payouts import queries, register, requirements
from compliance.payouts.admin.base import ReadingPage, amount_of, row_id
from compliance.payouts.admin.forms import ContactForm, PayeeForm, RequirementForm
from compliance.payouts.admin.gates import LABELS, TONES
from compliance.payouts.admin.payables import STATUS_LABELS, STATUS_TONES
from compliance.payouts.models import GateRequirement, Payable, Payee
from compliance.payouts.models.payees import GATE_KINDS

ROWS_MAX = 50
NEW_PAYEE = ActionDialog(
    title="New payee",
    description="Who is paid is fixed from here on: a changed name, program or market is another payee.",
    form_class=PayeeForm,
    form_submit_text="Enter payee",
)
CONTACT = ActionDialog(
    title="Contact details",
    description="These do not touch the gates.",
    form_class=ContactForm,
    form_submit_text="Save",
)
NEW_REQUIREMENT = ActionDialog(
    title="New version of the gates",
    description="It follows the version in force; nothing is paid under it before every gate it names is open.",
    form_class=RequirementForm,
    form_submit_text="Add version",
)


@admin.register(Payee)
class PayeeAdmin(ReadingPage, HistoryAdmin):
    """Who may be paid, and what stands in the way."""

    page_template = "payouts/payee.html"
    list_display = ("code", "legal_name", "kind", "program", "market", "country")
    list_filter = ("program", "market", "kind")
    search_fields = ("code", "legal_name")
    sortable_by = ("code", "kind", "program", "market", "country")
    actions_list: ClassVar[list[str]] = ["new_payee"]
    actions_detail: ClassVar[list[str]] = ["change_contact"]

    def has_enter_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.FINANCE, Role.OPS])

    def page_context(self, request: HttpRequest, obj: Payee) -> dict[str, Any]:
        judged = queries.judge_payees([obj], checks=queries.checks_of([obj.pk]), at=timezone.now())[obj.pk]
        owed = queries.waiting_money([obj.pk]).get(obj.pk)
        payables = obj.payables.select_related("payout", "batch_item__batch").order_by("-pk")
        return {
            "judged": judged,
            "gates": [
                {
                    "verdict": verdict,
                    "label": dict(GATE_KINDS).get(verdict.gate, verdict.gate),
                    "state": LABELS[verdict.state],
                    "tone": TONES[verdict.state],
                }
                for verdict in judged.verdicts
            ],
            "owed": [amount_of(amount, currency) for currency, amount in owed.amounts] if owed else [],
            "payables": [_payable_row(payable) for payable in payables[:ROWS_MAX]],
        }

    @action(
        description="New payee",
        permissions=["enter"],
        variant=ActionVariant.PRIMARY,
        icon="person_add",
        dialog=NEW_PAYEE,
    )
    def new_payee(self, request: HttpRequest, form: PayeeForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in PayeeForm.base_fields if not name.startswith("_")}
        return answer_in_dialog(
            request,
            form,
            dialog=NEW_PAYEE,
            call=lambda: register.register_payee(**given, actor=request.user, at=timezone.now()),
            success="The payee is entered; its gate checks are in the queue.",
            back_to=lambda payee: reverse("admin:payouts_payee_change", args=[payee.pk]),
        )

    @action(description="Contact details", permissions=["enter"], icon="contact_mail", dialog=CONTACT)
    def change_contact(self, request: HttpRequest, form: ContactForm, object_id: str) -> HttpResponse:
        return answer_in_dialog(
            request,
            form,
            dialog=CONTACT,
            call=lambda: register.change_contact(
                payee_id=row_id(object_id),
                email=form.cleaned_data["email"],
                customer=form.cleaned_data["customer"],
                actor=request.user,
            ),
            success="Saved.",
            back_to=lambda payee: reverse("admin:payouts_payee_change", args=[payee.pk]),
        )


def _payable_row(payable: Payable) -> dict[str, Any]:
    status = queries.status_of(payable)
    return {
        "payable": payable,
        "batch": payable.batch_item.batch if hasattr(payable, "batch_item") else None,
        "status": STATUS_LABELS[status],
        "tone": STATUS_TONES[status],
        "amount": amount_of(payable.amount, payable.currency),
    }


@admin.register(GateRequirement)
class GateRequirementAdmin(BackOfficeAdmin):
    """Versions, the latest of each program first."""

    list_display = ("program", "market", "payee_kind", "gate_names", "effective_at", "reason", "created_by")
    list_display_links = None
    list_filter = ("program", "market")
    actions_list: ClassVar[list[str]] = ["new_version"]

    def has_set_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, [Role.OPS])

    @display(description="Gates")
    def gate_names(self, requirement: GateRequirement) -> str:
        return ", ".join(dict(GATE_KINDS)[gate] for gate in requirement.gates)

    @action(
        description="New version",
        permissions=["set"],
        variant=ActionVariant.PRIMARY,
        icon="rule_settings",
        dialog=NEW_REQUIREMENT,
    )
    def new_version(self, request: HttpRequest, form: RequirementForm) -> HttpResponse:
        given = form.cleaned_data
        return answer_in_dialog(
            request,
            form,
            dialog=NEW_REQUIREMENT,
            call=lambda: requirements.set_requirement(
                program=given["program"],
                market=given["market"],
                payee_kind=given["payee_kind"],
                gates=given["gates"],
                effective_at=form.effective_at(),
                reason=given["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="The version is added.",
            back_to=lambda _: reverse("admin:payouts_gaterequirement_changelist"),
        )
