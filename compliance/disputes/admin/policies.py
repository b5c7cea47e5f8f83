"""Versions of the dispute policy, and setting the next one."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from compliance.disputes import policies
from compliance.disputes.admin.forms import PolicyForm
from compliance.disputes.models import DisputePolicy
from compliance.disputes.rules import due


@admin.register(DisputePolicy)
class DisputePolicyAdmin(BackOfficeAdmin):
    """The newest version counts for what is opened; none is ever changed."""

    list_display = ("version", *due.HOURS, "set_by", "set_on")
    list_select_related = ("set_by",)
    ordering = ("-version",)
    fields = ("version", *due.HOURS, *due.OWNERS, "reason", "set_by", "set_at", "audit_entry")
    readonly_fields = fields
    actions_list: ClassVar[list[str]] = ["new_version"]

    def has_set_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, policies.SETTERS)

    @display(description="Set (UTC)", ordering="set_at")
    def set_on(self, policy: DisputePolicy) -> str:
        return f"{policy.set_at:%d %b %Y %H:%M}" if policy.set_at else "with the installation"

    @action(
        description="New version",
        permissions=["set"],
        variant=ActionVariant.PRIMARY,
        icon="tune",
        dialog={
            "title": "Owners and due times of disputes",
            "description": "It counts for disputes that are opened from now on; the others keep their version.",
            "form_class": PolicyForm,
            "form_submit_text": "Set",
        },
    )
    def new_version(self, request: HttpRequest, form: PolicyForm) -> HttpResponse:
        terms = {name: form.cleaned_data[name] for name in (*due.HOURS, *due.OWNERS)}
        return answer_dialog(
            request,
            call=lambda: policies.set_policy(
                terms=terms, reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="The new version counts from now on.",
            back_to=reverse("admin:disputes_disputepolicy_changelist"),
        )
