"""What stopped outside of a close: interim drafts that failed, and contradictions of what must always hold."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from core import work
from invoicing.cycle import offences, stopped
from invoicing.cycle.admin.forms import ConfirmForm
from invoicing.cycle.models import Offence, StoppedInterim
from invoicing.cycle.rules import parking

CHECKERS = (Role.FINANCE, Role.OPS, Role.ENGINEERING)


@admin.register(StoppedInterim)
class StoppedInterimAdmin(BackOfficeAdmin):
    """Whose interim draft failed; it is tried again by itself within the hour, and by a person here."""

    list_display = ("customer", "reason", "stopped_at", "attempts", "is_waiting")
    list_filter: ClassVar[Any] = [("left_at", admin.EmptyFieldListFilter), "code"]
    list_select_related = ("customer",)
    search_fields = ("customer__code", "customer__legal_name", "reason")
    fields = (
        "customer",
        "subscription",
        "code",
        "reason",
        "way_out",
        "stopped_at",
        "attempts",
        "last_tried_at",
        "left_at",
    )
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["try_interim_again"]

    def has_try_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        waits = stopped.open_stops().filter(pk=object_id or 0).exists()
        return waits and roles.has_role(request.user, stopped.TRIERS)

    @action(
        description="Try again",
        permissions=["try"],
        variant=ActionVariant.PRIMARY,
        icon="replay",
        dialog={
            "title": "Draft the interim invoice again",
            "description": "A worker counts this customer's running periods and drafts what its policy asks for.",
            "form_class": ConfirmForm,
            "form_submit_text": "Try again",
        },
    )
    def try_interim_again(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: stopped.try_again(stopped_id=int(object_id), actor=request.user, at=timezone.now()),
            success="It is being tried again; this page shows what comes of it.",
            back_to=reverse("admin:cycle_stoppedinterim_change", args=[object_id]),
        )

    @display(description="What to do")
    def way_out(self, one: StoppedInterim) -> str:
        return parking.way_out_of_interim(one.code)

    @display(description="State", label={"Waits": "danger", "Left": "none"})
    def is_waiting(self, one: StoppedInterim) -> str:
        return "Waits" if one.left_at is None else "Left"


@admin.register(Offence)
class OffenceAdmin(BackOfficeAdmin):
    """What contradicts an invariant; only a check that no longer finds it clears it."""

    list_display = ("name", "offender", "customer", "found_at", "seen_at", "is_open")
    list_filter: ClassVar[Any] = [("cleared_at", admin.EmptyFieldListFilter), "number"]
    list_select_related = ("customer", "invoice")
    search_fields = ("name", "offender", "customer__code")
    fields = ("number", "name", "offender", "customer", "invoice", "what_it_stops", "found_at", "seen_at", "cleared_at")
    readonly_fields = fields
    actions_list: ClassVar[list[str]] = ["check_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offence]:
        return super().get_queryset(request).select_related("customer", "invoice")

    def has_check_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, CHECKERS)

    @action(
        description="Check now",
        permissions=["check"],
        variant=ActionVariant.PRIMARY,
        icon="rule",
        dialog={
            "title": "Search for contradictions now",
            "description": "A worker checks every invariant, as each night. What it no longer finds is cleared.",
            "form_class": ConfirmForm,
            "form_submit_text": "Check now",
        },
    )
    def check_now(self, request: HttpRequest, form: ConfirmForm) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: work.enqueue(kind=offences.CHECK_JOB, key="asked for", arguments={}, at=timezone.now()),
            success="A worker is checking; this list shows what it finds.",
            back_to=reverse("admin:cycle_offence_changelist"),
        )

    @display(description="What it stops")
    def what_it_stops(self, one: Offence) -> str:
        if one.cleared_at is not None:
            return "Nothing: a check no longer found it."
        if one.customer is None:
            return "Nothing by itself, for it names no customer. Engineering has to look at it."
        return f"No invoice of {one.customer} is issued until a check no longer finds it."

    @display(description="State", label={"Open": "danger", "Cleared": "none"})
    def is_open(self, one: Offence) -> str:
        return "Open" if one.cleared_at is None else "Cleared"
