"""Tax rates, in order of code and time."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role, has_role
from core import money
from invoicing.pricing import prices
from invoicing.pricing.admin.forms import TaxRateForm
from invoicing.pricing.models import TaxRate


@admin.register(TaxRate)
class TaxRateAdmin(BackOfficeAdmin):
    """Read only; a rate is followed by the next one."""

    list_display = ("code", "name", "category", "rate", "effective_at", "note")
    list_filter = ("code", "category")
    search_fields = ("code", "name")
    actions_list: ClassVar[list[str]] = ["new_rate"]

    def has_rates_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, [Role.FINANCE])

    @display(description="Percent", ordering="percent")
    def rate(self, rate: TaxRate) -> str:
        return f"{money.plain(rate.percent)} %"

    @action(
        description="New rate",
        permissions=["rates"],
        variant=ActionVariant.PRIMARY,
        icon="percent",
        dialog={
            "title": "New tax rate",
            "description": "A rate is never changed: this one follows the others of its code from its instant on.",
            "form_class": TaxRateForm,
            "form_submit_text": "Add rate",
        },
    )
    def new_rate(self, request: HttpRequest, form: TaxRateForm) -> HttpResponse:
        given = {name: value for name, value in form.cleaned_data.items() if not name.startswith("_")}
        return answer_dialog(
            request,
            call=lambda: prices.add_tax_rate(**given, actor=request.user, at=timezone.now()),
            success="The rate is added.",
            back_to=reverse("admin:pricing_taxrate_changelist"),
        )
