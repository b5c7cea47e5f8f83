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
from invoicing.pricing import plans, prices
from invoicing.pricing.admin import page
from invoicing.pricing.admin.forms import ChargeForm, PlanForm, PlanVersionForm, PriceForm
from invoicing.pricing.models import Plan, PlanVersion
from invoicing.pricing.proposals import AUTHORS


@admin.register(Plan)
class PlanAdmin(HistoryAdmin):
    """Name and description may be edited; terms and prices are followed by new versions, proposed in dialogs."""

    change_roles = AUTHORS
    list_display = ("code", "name", "currency", "bills_every", "charge_names")
    list_filter = ("currency", "interval")
    search_fields = ("code", "name")
    fields = ("code", "name", "description", "currency", "interval", "interval_count")
    change_form_after_template = "pricing/charges_and_prices.html"
    actions_detail: ClassVar[list[str]] = ["new_price", "new_version", "new_charge"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("charges")

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[Any]:
        return [] if obj is None else ["code", "currency", "interval", "interval_count"]

    def get_fields(self, request: HttpRequest, obj: Plan | None = None) -> Any:
        return self.fields if obj else (*self.fields, *PlanVersion.TERMS)

    def get_form(self, request: HttpRequest, obj: Plan | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  Django's signature
        """A new plan is entered with the terms of its first version."""
        return super().get_form(request, obj, change=change, **({} if obj else {"form": PlanForm}), **kwargs)

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001  as above
        """A new plan comes with its first version, proposed by who enters it."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made = plans.create_plan(**form.cleaned_data, actor=request.user, at=timezone.now())
        obj.pk = made.pk

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below the terms stand the charges, each with its prices in order of time."""
        plan = self.get_object(request, object_id)
        now = timezone.now()
        shown = (
            {}
            if plan is None
            else {"versions": page.version_rows(plan, at=now), "charges": page.charges_and_prices(plan, at=now)}
        )
        context = {**(extra_context or {}), **shown, "show_save_and_add_another": False}
        return super().change_view(request, object_id, form_url, context)

    @display(description="Bills every", ordering="interval")
    def bills_every(self, plan: Plan) -> str:
        return plan.bills_every

    @display(description="Charges")
    def charge_names(self, plan: Plan) -> str:
        return ", ".join(charge.name for charge in plan.charges.all())

    @action(
        description="New price",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        icon="sell",
        dialog={
            "title": "Propose a price",
            "description": "It counts from its instant on, once somebody else in finance has approved it.",
            "form_class": PriceForm,
            "form_submit_text": "Propose",
        },
    )
    def new_price(self, request: HttpRequest, form: PriceForm, object_id: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: prices.propose_price_version(**_given(form), actor=request.user, at=timezone.now()),
            "The price is proposed; somebody else in finance has to approve it.",
        )

    @action(
        description="New terms",
        permissions=["change"],
        icon="contract",
        dialog={
            "title": "Propose new terms",
            "description": "They count from their instant on, once somebody else in finance has approved them.",
            "form_class": PlanVersionForm,
            "form_submit_text": "Propose",
        },
    )
    def new_version(self, request: HttpRequest, form: PlanVersionForm, object_id: str) -> HttpResponse:
        plan = get_object_or_404(Plan, pk=object_id)
        terms = _given(form)
        effective_at = terms.pop("effective_at")
        return self._answer(
            request,
            object_id,
            lambda: plans.propose_version(
                plan=plan, terms=terms, effective_at=effective_at, actor=request.user, at=timezone.now()
            ),
            "The terms are proposed; somebody else in finance has to approve them.",
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


def _given(form: ChargeForm | PlanVersionForm | PriceForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if not name.startswith("_")}
