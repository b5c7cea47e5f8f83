"""Plans: their terms, their charges, and the prices of each in order of time."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.roles import Role
from invoicing.pricing import plans, prices
from invoicing.pricing.admin import page
from invoicing.pricing.admin.forms import ChargeForm, PriceForm
from invoicing.pricing.models import Plan

PRICERS = frozenset({Role.PRODUCT, Role.FINANCE})


@admin.register(Plan)
class PlanAdmin(HistoryAdmin):
    """Name and description may be edited; terms are fixed, charges and prices are added by dialogs."""

    change_roles = PRICERS
    list_display = ("code", "name", "currency", "interval", "charge_names")
    list_filter = ("currency", "interval")
    search_fields = ("code", "name")
    fields = ("code", "name", "description", "currency", "interval", "proration_unit")
    change_form_after_template = "pricing/charges_and_prices.html"
    actions_detail: ClassVar[list[str]] = ["new_price", "new_charge"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("charges")

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[Any]:
        return [] if obj is None else ["code", "currency", "interval", "proration_unit"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below the terms stand the charges, each with its prices in order of time."""
        plan = self.get_object(request, object_id)
        charges = [] if plan is None else page.charges_and_prices(plan, at=timezone.now())
        context = {**(extra_context or {}), "charges": charges, "show_save_and_add_another": False}
        return super().change_view(request, object_id, form_url, context)

    @display(description="Charges")
    def charge_names(self, plan: Plan) -> str:
        return ", ".join(charge.name for charge in plan.charges.all())

    @action(
        description="New price",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        icon="sell",
        dialog={
            "title": "New price",
            "description": "A price is never changed: this one follows the others of its charge from its instant on.",
            "form_class": PriceForm,
            "form_submit_text": "Add price",
        },
    )
    def new_price(self, request: HttpRequest, form: PriceForm, object_id: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: prices.add_price_version(**_given(form), actor=request.user, at=timezone.now()),
            "The price is added.",
        )

    @action(
        description="New charge",
        permissions=["change"],
        icon="add_shopping_cart",
        dialog={
            "title": "New charge",
            "description": "It costs nothing until it has a price.",
            "form_class": ChargeForm,
            "form_submit_text": "Add charge",
        },
    )
    def new_charge(self, request: HttpRequest, form: ChargeForm, object_id: str) -> HttpResponse:
        plan = get_object_or_404(Plan, pk=object_id)
        return self._answer(
            request, object_id, lambda: plans.add_charge(plan=plan, **_given(form)), "The charge is added."
        )

    def _answer(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse("admin:pricing_plan_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)


def _given(form: ChargeForm | PriceForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if not name.startswith("_")}
