"""Credit limits agreed with customers; the latest row of a customer and currency counts."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core import money
from invoicing.charge_controls import limits
from invoicing.charge_controls.admin.forms import LimitForm
from invoicing.charge_controls.models import CreditLimit


@admin.register(CreditLimit)
class CreditLimitAdmin(BackOfficeAdmin):
    """Never changed: another one is agreed on."""

    list_display = ("customer", "currency", "amount_text", "counts", "reason", "set_by", "set_at")
    list_filter: ClassVar[list[str]] = ["currency"]
    list_select_related = ("customer", "set_by")
    search_fields = ("customer__code", "customer__legal_name")
    fields = ("customer", "currency", "amount_text", "counts", "reason", "set_by", "set_at", "audit_entry")
    readonly_fields = fields
    actions_list: ClassVar[list[str]] = ["agree"]

    def has_agree_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, limits.SETTERS)

    @display(description="Limit", ordering="amount")
    def amount_text(self, limit: CreditLimit) -> str:
        if limit.amount is None:
            return "the policy's own"
        return money.amount_text(limit.amount, currency=limit.currency)

    @display(description="State", label={"Counts": "success", "Replaced": "none"})
    def counts(self, limit: CreditLimit) -> str:
        later = CreditLimit.objects.filter(customer=limit.customer_id, currency=limit.currency, pk__gt=limit.pk)
        return "Replaced" if later.exists() else "Counts"

    @action(
        description="Agree on a limit",
        permissions=["agree"],
        variant=ActionVariant.PRIMARY,
        icon="add",
        dialog={
            "title": "Agree on a credit limit",
            "description": "It counts where the policy lets limits be the customer's. Whoever is beyond is held.",
            "form_class": LimitForm,
            "form_submit_text": "Set the limit",
        },
    )
    def agree(self, request: HttpRequest, form: LimitForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("currency", "amount", "reason")}
        return answer_dialog(
            request,
            call=lambda: limits.set_limit(
                customer_code=form.cleaned_data["customer"].code, **given, actor=request.user, at=timezone.now()
            ),
            success="The limit is set.",
            back_to=reverse("admin:charge_controls_creditlimit_changelist"),
        )
