"""The quarantine desk: the event as it was sent beside the rules it broke, to release or to discard."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.roles import Role
from core.errors import DomainError
from core.http import parsing
from metering import quarantine
from metering.admin.forms import ReasonForm
from metering.models import QuarantinedEvent
from metering.rules import exact_json

DECIDERS = frozenset({Role.OPS, Role.ENGINEERING})
TONES = {"open": "warning", "released": "success", "discarded": ""}


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(HistoryAdmin):
    """Nothing is edited: an event is released, and then checked afresh, or discarded with a reason."""

    list_display = ("received_at", "event_type", "subject", "event_id", "first_reason", "times_seen", "status_label")
    list_filter: ClassVar[list[str]] = ["status"]  # types and sources are whatever was sent: too many to choose from
    search_fields = ("event_id", "subject", "source", "event_type")
    fields = ("side_by_side", "received_at", "times_seen", "status", "decided_by", "decided_at", "decision_reason")
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["release_event", "discard_event"]

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_open = QuarantinedEvent.objects.filter(pk=int(object_id or 0), status=QuarantinedEvent.Status.OPEN).exists()
        return is_open and roles.has_role(request.user, DECIDERS)

    @display(description="Reason")
    def first_reason(self, event: QuarantinedEvent) -> str:
        more = len(event.reasons) - 1
        return event.reasons[0]["detail"] + (f" (and {more} more)" if more > 0 else "")

    @display(description="Status", label=TONES)
    def status_label(self, event: QuarantinedEvent) -> tuple[str, str]:
        return event.status, event.get_status_display()

    @display(description="Event and broken rules")
    def side_by_side(self, event: QuarantinedEvent) -> SafeString:
        return render_to_string("metering/quarantined_event.html", {"event": event, "sent": _readable(event.raw)})

    @action(
        description="Release",
        permissions=["decide"],
        variant=ActionVariant.PRIMARY,
        icon="play_circle",
        dialog={
            "title": "Release this event",
            "description": "It is checked against the contract now in force, and keeps its own time.",
            "form_class": ReasonForm,
            "form_submit_text": "Check and release",
        },
    )
    def release_event(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        back_to = reverse("admin:metering_quarantinedevent_change", args=[object_id])
        try:
            released = quarantine.release_event(
                quarantine_id=int(object_id),
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            _say_what_became_of_it(request, released)
        return HttpResponse(headers={"HX-Redirect": back_to})

    @action(
        description="Discard",
        permissions=["decide"],
        icon="delete_sweep",
        dialog={
            "title": "Discard this event",
            "description": "It will never be billed. It stays here, with your reason.",
            "form_class": ReasonForm,
            "form_submit_text": "Discard",
        },
    )
    def discard_event(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: quarantine.discard_event(
                quarantine_id=int(object_id),
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="Discarded.",
            back_to=reverse("admin:metering_quarantinedevent_change", args=[object_id]),
        )


def _say_what_became_of_it(request: HttpRequest, released: quarantine.Release) -> None:
    if released.reasons:
        messages.warning(request, f"It still breaks a rule and stays here: {released.reasons[0].detail}")
    else:
        messages.success(request, f"Released: {released.outcome}.")


def _readable(raw: str) -> str:
    """Laid out if it is JSON at all, else as it came."""
    try:
        document: Any = parsing.read_strict_json(raw.encode("utf-8", "replace"))
    except ValueError:
        return raw
    return exact_json.write_indented(document)
