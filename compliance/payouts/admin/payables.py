"""What is owed: entered, withdrawn, and put into a batch."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_in_dialog
from accounts.roles import Role
from compliance.payouts import batches, payables, queries
from compliance.payouts.admin.base import ReadingPage, amount_of, row_id
from compliance.payouts.admin.forms import PayableForm, ReasonForm
from compliance.payouts.models import Payable
from core.errors import DomainError

STATUS_LABELS = {"open": "Owed", "paid": "Released", "withdrawn": "Withdrawn"}
STATUS_TONES = {"open": "info", "paid": "success", "withdrawn": "warning"}
NEW_PAYABLE = ActionDialog(
    title="New payable",
    description="It is paid once, as it stands, or withdrawn.",
    form_class=PayableForm,
    form_submit_text="Enter payable",
)
WITHDRAW = ActionDialog(
    title="Withdraw this payable",
    description="It is never released, whichever batch it stands in.",
    form_class=ReasonForm,
    form_submit_text="Withdraw",
)


class StatusFilter(admin.SimpleListFilter):
    """Owed still, released or withdrawn."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATUS_LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payable]) -> QuerySet[Payable]:
        condition = queries.PAYABLE_STATUSES.get(self.value() or "")
        return queryset.filter(condition) if condition else queryset


@admin.register(Payable)
class PayableAdmin(ReadingPage, HistoryAdmin):
    """Debts to payees; the action on selected rows makes a batch of them."""

    page_template = "payouts/payable.html"
    list_display = ("reference", "payee", "amount_label", "status_label", "batch", "created_at")
    list_filter = (StatusFilter, "currency", "payee__program")
    search_fields = ("reference", "payee__code", "payee__legal_name")
    actions: ClassVar[list[str]] = ["put_into_batch"]
    actions_list: ClassVar[list[str]] = ["new_payable"]
    actions_detail: ClassVar[list[str]] = ["withdraw"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payable]:
        payables: QuerySet[Payable] = super().get_queryset(request)
        return payables.select_related("payee", "payout", "batch_item__batch")

    def has_enter_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.FINANCE])

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_open = Payable.objects.filter(queries.PAYABLE_STATUSES["open"], pk=row_id(object_id)).exists()
        return is_open and roles.has_role(request.user, [Role.FINANCE])

    def page_context(self, request: HttpRequest, obj: Payable) -> dict[str, Any]:
        status = queries.status_of(obj)
        return {
            "amount": amount_of(obj.amount, obj.currency),
            "status_label": STATUS_LABELS[status],
            "tone": STATUS_TONES[status],
            "batch": obj.batch_item.batch if hasattr(obj, "batch_item") else None,
            "decisions": obj.release_decisions.select_related("actor", "audit_entry").order_by("-pk"),
        }

    @action(
        description="New payable",
        permissions=["enter"],
        variant=ActionVariant.PRIMARY,
        icon="add",
        dialog=NEW_PAYABLE,
    )
    def new_payable(self, request: HttpRequest, form: PayableForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("payee", "reference", "amount", "currency")}
        return answer_in_dialog(
            request,
            form,
            dialog=NEW_PAYABLE,
            call=lambda: payables.record_payable(**given, actor=request.user, at=timezone.now()),
            success="The payable is entered.",
            back_to=lambda _: reverse("admin:payouts_payable_changelist"),
        )

    @action(description="Withdraw", permissions=["withdraw"], icon="undo", dialog=WITHDRAW)
    def withdraw(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_in_dialog(
            request,
            form,
            dialog=WITHDRAW,
            call=lambda: payables.withdraw_payable(
                payable_id=row_id(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Withdrawn.",
            back_to=lambda _: reverse("admin:payouts_payable_change", args=[object_id]),
        )

    @admin.action(description="Put into a new batch", permissions=["enter"])
    def put_into_batch(self, request: HttpRequest, queryset: QuerySet[Payable]) -> HttpResponse | None:
        now = timezone.now()
        try:
            batch = batches.make_batch(
                reference=f"PB-{now:%Y%m%d-%H%M%S}",
                payable_ids=list(queryset.values_list("pk", flat=True)),
                actor=request.user,
                at=now,
            )
        except DomainError as error:
            messages.error(request, error.message)
            return None
        messages.success(request, "The batch is made. A colleague from ops releases it.")
        return redirect("admin:payouts_payoutbatch_change", batch.pk)

    @display(description="Amount", ordering="amount")
    def amount_label(self, payable: Payable) -> str:
        return format_html('<span class="bo-money">{}</span>', amount_of(payable.amount, payable.currency))

    @display(description="Status", label=STATUS_TONES)
    def status_label(self, payable: Payable) -> tuple[str, str]:
        status = queries.status_of(payable)
        return status, STATUS_LABELS[status]

    @display(description="Batch", empty_value="—")
    def batch(self, payable: Payable) -> str | None:
        return payable.batch_item.batch.reference if hasattr(payable, "batch_item") else None
