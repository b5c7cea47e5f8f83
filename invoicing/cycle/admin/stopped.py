"""What stopped outside of a close: interim drafts that failed, and contradictions of what must always hold."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.cycle import false_alarms, offences, stopped
from invoicing.cycle.admin.forms import ConfirmForm, ReasonForm
from invoicing.cycle.admin.timeline import name_of
from invoicing.cycle.models import FalseAlarm, Offence, StoppedInterim
from invoicing.cycle.rules import false_alarms as rules
from invoicing.cycle.rules import parking


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
    fields = (
        "number",
        "name",
        "offender",
        "customer",
        "invoice",
        "what_it_stops",
        "statements",
        "found_at",
        "seen_at",
        "cleared_at",
    )
    readonly_fields = fields
    list_before_template = "cycle/offence_check.html"
    actions_list: ClassVar[list[str]] = ["check_now"]
    actions_detail: ClassVar[list[str]] = ["call_false", "agree_false", "refuse_false"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offence]:
        return super().get_queryset(request).select_related("customer", "invoice").annotate(agreed=offences.is_agreed())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With how far a running check is, or when everything was last searched."""
        return super().changelist_view(request, {**(extra_context or {}), **offences.how_far()})

    def has_check_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, offences.CHECKERS)

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
            call=lambda: offences.ask_for_check(actor=request.user, at=timezone.now()),
            success="A worker is checking; this list shows what it finds.",
            back_to=reverse("admin:cycle_offence_changelist"),
        )

    @display(description="What it stops")
    def what_it_stops(self, one: Offence) -> str:
        if one.cleared_at is not None:
            return "Nothing: a check no longer found it."
        if one.customer is None:
            return "Nothing by itself, for it names no customer. Engineering has to look at it."
        if one.false_alarms.filter(decision=FalseAlarm.Decision.AGREED).exists():
            return f"Nothing: two people agreed that it is a false alarm. Each invoice of {one.customer} is recounted."
        if not rules.can_be_false(one.number):
            return f"No invoice of {one.customer} is issued until it is repaired at its source and no check finds it."
        return f"No invoice of {one.customer} is issued until a check no longer finds it."

    @display(description="Called a false alarm")
    def statements(self, one: Offence) -> str:
        said = [
            (
                f"{alarm.stated_at:%d %b %Y %H:%M}, {name_of(alarm.stated_by)}: {alarm.reason}",
                "Waits for ops."
                if alarm.decided_at is None
                else f"{alarm.get_decision_display()} by {name_of(alarm.decided_by)},"
                f" {alarm.decided_at:%d %b %Y %H:%M}: {alarm.decision_reason}",
            )
            for alarm in one.false_alarms.select_related("stated_by", "decided_by")
        ]
        return format_html_join("", "<p>{}<br>{}</p>", said) or "Nobody did"

    def _of(self, object_id: str | None) -> Offence | None:
        text = str(object_id)
        return Offence.objects.filter(pk=int(text)).first() if text.isdecimal() else None

    def has_state_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        one = self._of(object_id)
        stops = one is not None and one.cleared_at is None and one.customer_id is not None
        if one is None or not stops or not rules.can_be_false(one.number):
            return False
        said = one.false_alarms.exclude(decision=FalseAlarm.Decision.REFUSED)
        return roles.has_role(request.user, false_alarms.STATERS) and not said.exists()

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        one = self._of(object_id)
        if one is None or not roles.has_role(request.user, false_alarms.DECIDERS):
            return False
        return one.false_alarms.filter(decision="").exclude(stated_by=request.user.pk).exists()

    @action(
        description="Call it a false alarm",
        permissions=["state"],
        icon="notifications_off",
        dialog={
            "title": "Call it a false alarm",
            "description": "Say why nothing is wrong. It counts once a colleague in ops agrees, after a recount.",
            "form_class": ReasonForm,
            "form_submit_text": "Say so",
        },
    )
    def call_false(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: false_alarms.state(
                offence_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Kept. Somebody in ops has to agree.",
            back_to=reverse("admin:cycle_offence_change", args=[object_id]),
        )

    @action(
        description="Agree: a false alarm",
        permissions=["decide"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Agree that it is a false alarm",
            "description": "What this customer has undecided is counted and rated again now; unless all of it is equal,"
            " your answer is refused.",
            "form_class": ReasonForm,
            "form_submit_text": "Count again and agree",
        },
    )
    def agree_false(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, decide=false_alarms.agree, success="Agreed. It stops nobody now.")

    @action(
        description="Refuse",
        permissions=["decide"],
        icon="block",
        dialog={
            "title": "It is no false alarm",
            "description": "The customer stays stopped.",
            "form_class": ReasonForm,
            "form_submit_text": "Refuse",
        },
    )
    def refuse_false(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, decide=false_alarms.refuse, success="Refused. It still stops.")

    def _decide(
        self, request: HttpRequest, form: ReasonForm, object_id: str, *, decide: Callable[..., Any], success: str
    ) -> HttpResponse:
        def call() -> object:
            alarm_id = false_alarms.undecided_of(int(object_id)).pk
            return decide(alarm_id=alarm_id, reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now())

        return answer_dialog(
            request, call=call, success=success, back_to=reverse("admin:cycle_offence_change", args=[object_id])
        )

    @display(description="State", label={"Open": "danger", "False alarm": "warning", "Cleared": "none"})
    def is_open(self, one: Any) -> str:
        if one.cleared_at is not None:
            return "Cleared"
        return "False alarm" if one.agreed else "Open"
