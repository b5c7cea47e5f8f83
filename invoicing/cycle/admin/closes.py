"""Closes and how far they have come; customers that could not be closed, and the way out."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.cycle import close_runs, park, start_close
from invoicing.cycle.admin.forms import ConfirmForm
from invoicing.cycle.admin.wording import period_text
from invoicing.cycle.close_runs import RunState
from invoicing.cycle.models import CloseRun, ParkedCustomer
from invoicing.cycle.rules import parking

REFRESH_SECONDS = 3
CODES_SHOWN = 3
TONES = {"queued": "info", "running": "info", "interrupted": "warning", "stopped": "danger", "ended": "success"}
NEXT = {
    RunState.QUEUED: "A worker takes it up in a moment.",
    RunState.RUNNING: "A process is at work on it; this page follows.",
    RunState.INTERRUPTED: "Nobody is at work on it. It goes on by itself where a worker had it, or start it again.",
}


class StartForm(BaseDialogForm):
    """Up to when, and of whom."""

    as_of = forms.DateTimeField(
        label="Everything that ended by (UTC)",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
    )
    customers = forms.CharField(
        label="Only these customers",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Codes, separated by blanks or commas; leave it empty for everybody.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["as_of"].initial = f"{_start_of_month(timezone.now()):%Y-%m-%dT%H:%M:%S}"

    def codes(self) -> list[str] | None:
        return self.cleaned_data["customers"].replace(",", " ").split() or None


def _start_of_month(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


@admin.register(CloseRun)
class CloseRunAdmin(BackOfficeAdmin):
    """Read only; a close is started in a dialog and done by a worker."""

    list_display = ("name", "state", "progress", "drafted", "held", "failed", "asked_by", "asked_at")
    list_select_related = ("asked_by",)
    ordering = ("-pk",)
    fields: ClassVar[Any] = ()
    change_form_outer_after_template = "cycle/close_run.html"
    actions_list: ClassVar[list[str]] = ["start"]

    def get_fieldsets(self, request: HttpRequest, obj: CloseRun | None = None) -> Any:
        return []  # the page below says it all, and an empty form would leave a line

    def has_start_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, start_close.STARTERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = {**(extra_context or {}), **({} if run is None else _page(run))}
        response = super().change_view(request, object_id, form_url, context)
        if context.get("state") in (RunState.QUEUED, RunState.RUNNING):
            response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response

    @action(
        description="Close periods",
        permissions=["start"],
        variant=ActionVariant.PRIMARY,
        icon="event_available",
        dialog={
            "title": "Close periods",
            "description": (
                "A worker drafts an invoice for every period that ended by then and has none. Who starts a close has"
                " drafted its invoices, and a colleague approves them."
            ),
            "form_class": StartForm,
            "form_submit_text": "Start",
        },
    )
    def start(self, request: HttpRequest, form: StartForm) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: start_close.start_close(
                as_of=form.cleaned_data["as_of"], customer_codes=form.codes(), actor=request.user, at=timezone.now()
            ),
            success="The close is queued; the list shows how far it is.",
            back_to=reverse("admin:cycle_closerun_changelist"),
        )

    @display(description="Close")
    def name(self, run: CloseRun) -> str:
        return f"{run.as_of:%d %b %Y %H:%M} UTC, {_whom(run)}"

    @display(description="State", label=TONES)
    def state(self, run: CloseRun) -> tuple[str, str]:
        state = close_runs.states_of([run])[run.pk]
        return str(state), state.capitalize()

    @display(description="Periods")
    def progress(self, run: CloseRun) -> str:
        return format_html('<span class="bo-num">{} of {}</span>', run.done, run.total)


def _whom(run: CloseRun) -> str:
    if run.customer_codes is None:
        return "everybody"
    shown = ", ".join(run.customer_codes[:CODES_SHOWN]) or "nobody"
    hidden = len(run.customer_codes) - CODES_SHOWN
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def _page(run: CloseRun) -> dict[str, Any]:
    state = close_runs.states_of([run])[run.pk]
    return {
        "run": run,
        "state": state,
        "next_step": NEXT.get(state, ""),
        "parked": run.parked.filter(left_at=None).select_related("customer"),
        "invoices_url": reverse("admin:cycle_invoice_changelist"),
    }


@admin.register(ParkedCustomer)
class ParkedCustomerAdmin(BackOfficeAdmin):
    """Who could not be closed; every close tries again by itself, and a person may ask for it here."""

    list_display = ("customer", "why", "period", "parked_at", "attempts", "is_parked")
    list_filter: ClassVar[Any] = [("left_at", admin.EmptyFieldListFilter), "code"]
    list_select_related = ("customer", "run")
    search_fields = ("customer__code", "customer__legal_name", "reason")
    fields: ClassVar[Any] = ()
    change_form_outer_after_template = "cycle/parked_customer.html"
    actions_detail: ClassVar[list[str]] = ["try_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParkedCustomer]:
        return super().get_queryset(request).select_related("customer", "run", "left_by")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["-left_at", "parked_at"]  # PostgreSQL puts those without an end first

    def get_fieldsets(self, request: HttpRequest, obj: ParkedCustomer | None = None) -> Any:
        return []  # as above

    def has_try_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_parked = park.open_parkings().filter(pk=object_id or 0).exists()
        return is_parked and roles.has_role(request.user, start_close.STARTERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        parked = self.get_object(request, object_id)
        context = {} if parked is None else {"parked": parked, "way_out": parking.way_out(parked.code)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Try again",
        permissions=["try"],
        variant=ActionVariant.PRIMARY,
        icon="replay",
        dialog={
            "title": "Close this customer again",
            "description": "A worker closes what the last close could not. The next close would try by itself.",
            "form_class": ConfirmForm,
            "form_submit_text": "Try again",
        },
    )
    def try_again(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: start_close.try_again(parked_id=int(object_id), actor=request.user, at=timezone.now()),
            success="It is being tried again; this page shows what comes of it.",
            back_to=reverse("admin:cycle_parkedcustomer_change", args=[object_id]),
        )

    @display(description="Reason")
    def why(self, parked: ParkedCustomer) -> str:
        return parked.reason

    @display(description="Period")
    def period(self, parked: ParkedCustomer) -> str:
        return period_text(parked)

    @display(description="Parked", label={"Parked": "danger", "Left": "none"})
    def is_parked(self, parked: ParkedCustomer) -> str:
        return "Parked" if parked.left_at is None else "Left"
