"""Subscriptions: who is on which plan when; start, change and end are dialogs."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeInline, HistoryAdmin, answer_dialog
from accounts.roles import Role
from core import money
from invoicing.pricing import arrange, subscribe
from invoicing.pricing.admin.forms import (
    ChangePlanForm,
    EndForm,
    KeepPricesForm,
    QuantityForm,
    ReleasePricesForm,
    StartForm,
)
from invoicing.pricing.models import KeptPrices, Subscription, SubscriptionPhase, SubscriptionQuantity


class PhaseInline(BackOfficeInline):
    """The plans of a subscription, one after the other."""

    model = SubscriptionPhase
    fields = ("plan", "starts_at", "ends_at", "created_by", "created_at")
    readonly_fields = fields
    verbose_name_plural = "plans in order of time"


class QuantityInline(BackOfficeInline):
    """How many of what, from when on."""

    model = SubscriptionQuantity
    fields = ("charge_code", "shown_quantity", "effective_at", "created_by", "created_at")
    readonly_fields = fields
    verbose_name_plural = "quantities in order of time"

    @display(description="Quantity")
    def shown_quantity(self, row: SubscriptionQuantity) -> str:
        return money.plain(row.quantity)


class KeptPricesInline(BackOfficeInline):
    """Older prices that it keeps for a time."""

    model = KeptPrices
    fields = ("plan", "starts_at", "ends_at", "released_because", "created_by", "created_at")
    readonly_fields = fields
    verbose_name_plural = "kept prices"


@admin.register(Subscription)
class SubscriptionAdmin(HistoryAdmin):
    """Nothing here is edited; what is agreed changes by its stage function."""

    list_display = ("customer", "plan_now", "starts_at", "ends_at", "time_zone")
    list_filter = ("phases__plan",)
    list_select_related = ("customer",)
    search_fields = ("customer__code", "customer__legal_name")
    fields = ("customer", "starts_at", "ends_at", "anchor_date", "time_zone", "created_at")
    inlines = (PhaseInline, QuantityInline, KeptPricesInline)
    actions_list: ClassVar[list[str]] = ["start"]
    actions_detail: ClassVar[list[str]] = ["change_plan", "set_quantity", "keep_prices", "release_prices", "end"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("phases__plan")

    def has_agree_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.FINANCE])

    @display(description="Plan now")
    def plan_now(self, subscription: Subscription) -> str:
        now = timezone.now()
        for phase in subscription.phases.all():
            if phase.starts_at <= now and (phase.ends_at is None or now < phase.ends_at):
                return phase.plan.name
        return "Not begun" if now < subscription.starts_at else "Ended"

    @action(
        description="New subscription",
        permissions=["agree"],
        variant=ActionVariant.PRIMARY,
        icon="add",
        dialog={"title": "New subscription", "form_class": StartForm, "form_submit_text": "Start"},
    )
    def start(self, request: HttpRequest, form: StartForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("customer", "plan", "starts_at", "anchor_date")}
        return answer_dialog(
            request,
            call=lambda: subscribe.start_subscription(**given, actor=request.user, at=timezone.now()),
            success="The subscription is started.",
            back_to=reverse("admin:pricing_subscription_changelist"),
        )

    @action(
        description="Change plan",
        permissions=["agree"],
        variant=ActionVariant.PRIMARY,
        icon="swap_horiz",
        dialog={
            "title": "Change plan",
            "description": "Usage is split at the instant; periods that are billed already stay as they are.",
            "form_class": ChangePlanForm,
            "form_submit_text": "Change plan",
        },
    )
    def change_plan(self, request: HttpRequest, form: ChangePlanForm, object_id: str) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id)
        plan, effective_at = form.cleaned_data["plan"], form.cleaned_data["effective_at"]
        return self._answer(
            request,
            object_id,
            lambda: subscribe.change_plan(
                subscription=subscription,
                plan=plan,
                effective_at=effective_at,
                actor=request.user,
                at=timezone.now(),
            ),
            "The plan changes then.",
        )

    @action(
        description="Set quantity",
        permissions=["agree"],
        icon="group",
        dialog={
            "title": "Set a quantity",
            "description": "How many of a charge without a meter, such as seats; its fee is split at the instant.",
            "form_class": QuantityForm,
            "form_submit_text": "Set quantity",
        },
    )
    def set_quantity(self, request: HttpRequest, form: QuantityForm, object_id: str) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id)
        given = {name: form.cleaned_data[name] for name in ("charge_code", "quantity", "effective_at")}
        return self._answer(
            request,
            object_id,
            lambda: arrange.set_quantity(subscription=subscription, **given, actor=request.user, at=timezone.now()),
            "The quantity changes then.",
        )

    @action(
        description="Keep prices",
        permissions=["agree"],
        icon="lock_clock",
        dialog={
            "title": "Keep older prices",
            "description": "New versions do not reach this subscription until the instant you name; then they count.",
            "form_class": KeepPricesForm,
            "form_submit_text": "Keep prices",
        },
    )
    def keep_prices(self, request: HttpRequest, form: KeepPricesForm, object_id: str) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id)
        given = {name: form.cleaned_data[name] for name in ("since", "until")}
        return self._answer(
            request,
            object_id,
            lambda: arrange.keep_prices(subscription=subscription, **given, actor=request.user, at=timezone.now()),
            "The prices are kept until then.",
        )

    @action(
        description="Release prices",
        permissions=["agree"],
        icon="lock_open",
        dialog={
            "title": "Release kept prices",
            "description": "They end earlier than agreed; periods that are billed already stay as they are.",
            "form_class": ReleasePricesForm,
            "form_submit_text": "Release",
        },
    )
    def release_prices(self, request: HttpRequest, form: ReleasePricesForm, object_id: str) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id)
        given = {name: form.cleaned_data[name] for name in ("ends_at", "reason")}
        return self._answer(
            request,
            object_id,
            lambda: arrange.release_prices(
                subscription=subscription,
                kept_id=form.cleaned_data["kept"].pk,
                **given,
                actor=request.user,
                at=timezone.now(),
            ),
            "The prices are released then.",
        )

    @action(
        description="End",
        permissions=["agree"],
        icon="event_busy",
        dialog={
            "title": "End this subscription",
            "description": "The last period is billed up to the end.",
            "form_class": EndForm,
            "form_submit_text": "End",
        },
    )
    def end(self, request: HttpRequest, form: EndForm, object_id: str) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id)
        return self._answer(
            request,
            object_id,
            lambda: subscribe.end_subscription(
                subscription=subscription,
                ends_at=form.cleaned_data["ends_at"],
                actor=request.user,
                at=timezone.now(),
            ),
            "The subscription ends then.",
        )

    def _answer(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse("admin:pricing_subscription_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)
