"""Versions of the health policy, and setting the next one."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from metering import health_policies, reviews
from metering.models import HealthPolicy

FIGURES = health_policies.FIGURES


class PolicyForm(BaseDialogForm):
    """All figures of the next version, as they are now until somebody changes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = health_policies.current_policy()
        for name in FIGURES:
            field: Any = HealthPolicy._meta.get_field(name)
            self.fields[name] = field.formfield(widget=UnfoldAdminTextInputWidget(), initial=getattr(now, name))
        self.fields["reason"] = forms.CharField(
            min_length=5, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
        )


@admin.register(HealthPolicy)
class HealthPolicyAdmin(BackOfficeAdmin):
    """The newest version counts; none is ever changed."""

    list_display = ("version", "window_minutes", "baseline_minutes", "false_alarm_rate", "created_by", "created_at")
    list_select_related = ("created_by",)
    ordering = ("-version",)
    fields = ("version", *FIGURES, "reason", "created_by", "created_at")
    readonly_fields = fields
    actions_list: ClassVar[list[str]] = ["new_version"]

    def has_set_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, reviews.REVIEWERS)

    @action(
        description="New version",
        permissions=["set"],
        variant=ActionVariant.PRIMARY,
        icon="tune",
        dialog={
            "title": "When is a change a shift?",
            "description": "It counts from the next minute on; what is open keeps the version that opened it.",
            "form_class": PolicyForm,
            "form_submit_text": "Set",
        },
    )
    def new_version(self, request: HttpRequest, form: PolicyForm) -> HttpResponse:
        figures = {name: form.cleaned_data[name] for name in FIGURES}
        return answer_dialog(
            request,
            call=lambda: health_policies.set_policy(
                figures=figures, reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="The new version counts from now on.",
            back_to=reverse("admin:metering_healthpolicy_changelist"),
        )
