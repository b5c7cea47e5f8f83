"""The quarantine desk: the event as it was sent beside the rules it broke, to release or to discard."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import external_ids, roles
from accounts.backoffice import BackOfficeAdmin, HistoryAdmin, answer_dialog
from accounts.roles import Role
from core.errors import DomainError
from metering import bulk, desk, quarantine
from metering.admin.forms import GroupForm, NamedCustomerForm, ReasonForm
from metering.bulk import Target
from metering.models import BulkDecision, QuarantinedEvent
from metering.rules import envelope, exact_json, reading
from metering.rules.reasons import CODES
from metering.rules.tally import NAME_LENGTH_MAX
from metering.store import groups

EVENTS_SHOWN = 50
DECISIONS_SHOWN = 10
DIGITS_MAX = 19  # of a number that the table can hold
NAMERS = frozenset({Role.FINANCE, Role.OPS, Role.ENGINEERING})  # as for every id of a customer elsewhere
DECIDERS = frozenset({Role.OPS, Role.ENGINEERING})
TONES = {"open": "warning", "released": "success", "discarded": "", "erased": ""}


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(HistoryAdmin):
    """Nothing is edited: an event is released, and then checked afresh, or discarded with a reason."""

    list_display = ("received_at", "event_type", "subject", "event_id", "first_reason", "times_seen", "status_label")
    list_filter: ClassVar[list[str]] = ["status"]  # types and sources are whatever was sent: too many to choose from
    search_fields = ("event_id", "subject", "source", "event_type")
    fields = (
        *("side_by_side", "received_at", "times_seen", "status", "decided_by", "decided_at", "decision_reason"),
        "continues",
    )
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["release_event", "discard_event", "take_up_event"]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("desk/", self.admin_site.admin_view(self.show_desk), name="metering_quarantine_desk"),
            path("group/", self.admin_site.admin_view(self.show_group), name="metering_quarantine_group"),
            path("assign/", self.admin_site.admin_view(self.assign_customer), name="metering_quarantine_assign"),
            path("decide/", self.admin_site.admin_view(self.decide_group), name="metering_quarantine_decide"),
        ]
        return [*own, *super().get_urls()]

    def show_desk(self, request: HttpRequest) -> HttpResponse:
        """What waits, by reason, source and type."""
        _require(self.has_view_permission(request))
        rows = [(group, _query_of(group), CODES.get(group.code, "")) for group in groups.find_groups()]
        context = {
            **self.admin_site.each_context(request),
            "title": "Quarantine desk",
            "opts": self.opts,
            "rows": rows,
            "events": sum(group.events for group, _, _ in rows),
            "decisions": BulkDecision.objects.select_related("started_by")[:DECISIONS_SHOWN],
        }
        return TemplateResponse(request, "metering/quarantine_desk.html", context)

    def show_group(self, request: HttpRequest) -> HttpResponse:
        """The events of a group, the first of them beside the rules that it broke, and what can be done."""
        _require(self.has_view_permission(request))
        return self._group_page(request, _target(request.GET), after=_number(request.GET.get("after")))

    def _group_page(
        self, request: HttpRequest, target: Target, *, form: GroupForm | None = None, after: int = 0
    ) -> HttpResponse:
        """What was typed stays where it was typed."""
        waiting = bulk.waiting(target)
        events = list(waiting.filter(pk__gt=after)[:EVENTS_SHOWN])
        last = events[-1].pk if events else after
        context = {
            **self.admin_site.each_context(request),
            "title": "Quarantine: " + (target.event_type or "no type"),
            "opts": self.opts,
            "target": target,
            "query": _query_of(target),
            "whole": _query_of(replace(target, subject=None)),
            "rule": CODES.get(target.code, ""),
            "events": events,
            "total": waiting.count(),
            "after": after,
            "last": last if waiting.filter(pk__gt=last).exists() else None,
            "subjects": [
                (subject, count, subject and _query_of(replace(target, subject=subject)))
                for subject, count in groups.count_subjects(
                    code=target.code, source=target.source, event_type=target.event_type
                )
            ],
            "may_decide": roles.has_role(request.user, DECIDERS),
            "names": _names_in(events, target) if roles.has_role(request.user, NAMERS) else [],
            "form": form or GroupForm(initial={**asdict(target)}),
            "sides": render_to_string("metering/quarantined_event.html", _sides(events[0])) if events else "",
        }
        return TemplateResponse(request, "metering/quarantine_group.html", context)

    def assign_customer(self, request: HttpRequest) -> HttpResponse:
        """Give a customer the name that these events use; a release then finds it. The group is shown again."""
        _require(request.method == "POST" and roles.has_role(request.user, NAMERS))
        form = NamedCustomerForm(request.POST)
        back_to = redirect(f"{reverse('admin:metering_quarantine_group')}?{_query_of(_target(request.POST))}")
        if not form.is_valid():
            messages.error(request, f"Nothing was done. {_first_error(form)}")
            return back_to
        given = form.cleaned_data
        try:
            external_ids.add_external_id(
                customer_code=given["customer"].code,
                system=given["system"],
                external_id=given["external_id"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
        except ValidationError as error:
            messages.error(request, f"That name cannot be given to a customer. {' '.join(error.messages)}")
        else:
            messages.success(request, f"{given['external_id']} is {given['customer']} from now on. Release the group.")
        return back_to

    def decide_group(self, request: HttpRequest) -> HttpResponse:
        """Release or discard all that waits of a group, in the background."""
        _require(request.method == "POST" and roles.has_role(request.user, DECIDERS))
        form = GroupForm(request.POST)
        if not form.is_valid():
            messages.error(request, f"Nothing was done. {_first_error(form)}")
            if not set(form.errors) <= {"action", "reason"}:
                return redirect("admin:metering_quarantine_desk")
            return self._group_page(request, _target(form.cleaned_data), form=form)
        given = form.cleaned_data
        try:
            made = bulk.start_decision(
                target=_target(given),
                action=given["action"],
                reason=given["reason"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
            return self._group_page(request, _target(given), form=form)
        return redirect("admin:metering_bulkdecision_change", made.pk)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_open = QuarantinedEvent.objects.filter(pk=int(object_id or 0), status=QuarantinedEvent.Status.OPEN).exists()
        return is_open and roles.has_role(request.user, DECIDERS)

    def has_take_up_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        left = QuarantinedEvent.objects.filter(
            pk=int(object_id or 0), status=QuarantinedEvent.Status.DISCARDED, continued_by=None
        )
        return left.exists() and roles.has_role(request.user, DECIDERS)

    @display(description="Reason")
    def first_reason(self, event: QuarantinedEvent) -> str:
        more = len(event.reasons) - 1
        return event.reasons[0]["detail"] + (f" (and {more} more)" if more > 0 else "")

    @display(description="Status", label=TONES)
    def status_label(self, event: QuarantinedEvent) -> tuple[str, str]:
        return event.status, event.get_status_display()

    @display(description="Event and broken rules")
    def side_by_side(self, event: QuarantinedEvent) -> SafeString:
        return render_to_string("metering/quarantined_event.html", _sides(event))

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

    @action(
        description="Take up again",
        permissions=["take_up"],
        icon="undo",
        dialog={
            "title": "Take up this event again",
            "description": "It waits again as it was sent. That it was discarded stays on record.",
            "form_class": ReasonForm,
            "form_submit_text": "Take up again",
        },
    )
    def take_up_event(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: quarantine.take_up_again(
                quarantine_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user
            ),
            success="It waits again, as the event that continues this one.",
            back_to=reverse("admin:metering_quarantinedevent_changelist") + "?status__exact=open",
        )


def _first_error(form: forms.Form) -> str:
    name, errors = next(iter(form.errors.items()))
    return f"{name.capitalize()}: {errors[0]}"


def _require(is_allowed: bool) -> None:  # noqa: FBT001  a condition, named by the function
    if not is_allowed:
        raise PermissionDenied


def _target(given: Mapping[str, Any]) -> Target:
    """Read a group from an address or a form; control characters stand in no name."""
    names = {name: str(given.get(name, ""))[:NAME_LENGTH_MAX] for name in ("code", "source", "event_type")}
    subject = given.get("subject")
    return Target(**names, subject=str(subject)[:NAME_LENGTH_MAX] if subject else None)


def _names_in(events: Sequence[QuarantinedEvent], target: Target) -> list[NamedCustomerForm]:
    """A form for each name that these events use for a customer nobody knows."""
    if target.code != "customer_unknown":
        return []
    names: dict[tuple[str, str], None] = {}
    for event in events:
        sent = reading.read_one(event.raw)
        if isinstance(sent, dict):
            system, external_id = envelope.name_of_customer(sent)
            if external_id:
                names[system, external_id] = None
    return [
        NamedCustomerForm(initial={"system": system, "external_id": external_id}, auto_id=f"name-{number}-%s")
        for number, (system, external_id) in enumerate(names)
    ]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < DIGITS_MAX else 0


def _query_of(group: groups.Group | Target) -> str:
    """A group in an address, as `_target` reads it."""
    named = {"code": group.code, "source": group.source, "event_type": group.event_type}
    subject = group.subject if isinstance(group, Target) else None
    return urlencode(named | ({"subject": subject} if subject else {}))


@admin.register(BulkDecision)
class BulkDecisionAdmin(BackOfficeAdmin):
    """One decision over a group: how far it is, and what became of its events."""

    list_display = ("started_at", "action", "code", "event_type", "source", "started_by", "progress", "finished_at")
    list_select_related = ("started_by",)
    ordering = ("-id",)
    fields = ("how_far", "action", "code", "source", "event_type", "subject", "reason", "started_by", "started_at")
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["undo_discard"]

    def has_undo_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        left = BulkDecision.objects.filter(
            pk=int(object_id or 0), action=BulkDecision.Action.DISCARD, finished_at__isnull=False, undone_by=None
        )
        return left.exists() and roles.has_role(request.user, DECIDERS)

    @action(
        description="Take up again",
        permissions=["undo"],
        icon="undo",
        dialog={
            "title": "Take up again what was discarded",
            "description": "All that this decision discarded waits again as it was sent. The discards stay on record.",
            "form_class": ReasonForm,
            "form_submit_text": "Take up again",
        },
    )
    def undo_discard(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        back_to = reverse("admin:metering_bulkdecision_change", args=[object_id])
        try:
            made = bulk.undo_discard(
                decision_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            back_to = reverse("admin:metering_bulkdecision_change", args=[made.pk])
        return HttpResponse(headers={"HX-Redirect": back_to})

    @display(description="Progress")
    def progress(self, decision: BulkDecision) -> str:
        return f"{decision.done:,} of {decision.total:,}"

    @display(description="Progress")
    def how_far(self, decision: BulkDecision) -> SafeString:
        return render_to_string("metering/bulk_progress.html", {"decision": decision})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Loads itself again while there is something to wait for."""
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        if BulkDecision.objects.filter(pk=int(object_id), finished_at=None).exists():
            answer.headers["Refresh"] = "2"
        return answer


def _say_what_became_of_it(request: HttpRequest, released: quarantine.Release) -> None:
    if released.reasons:
        messages.warning(request, f"It still breaks a rule and stays here: {released.reasons[0].detail}")
    else:
        messages.success(request, f"Released: {released.outcome}.")


def _sides(event: QuarantinedEvent) -> dict[str, Any]:
    """The event and its reasons, each with the part of the schema laid out."""
    shown = desk.show_event(event)
    reasons = [
        (one, None if one.fragment is None else exact_json.write_indented(one.fragment)) for one in shown.reasons
    ]
    return {"event": event, "lines": shown.lines, "reasons": reasons, "contract_id": shown.contract_id}
