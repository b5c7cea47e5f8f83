"""Endpoints for signed webhooks: made here; a secret is shown once, replaced and ended here."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_dialog
from core import outbound
from invoicing.notices import endpoints
from invoicing.notices.models import Endpoint, Topic

KEEPERS = frozenset(endpoints.KEEPERS)
OVERLAP_HOURS = 24


class CloseForm(BaseDialogForm):
    """Why it is not called any more."""

    reason = forms.CharField(min_length=5, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """Topics as boxes; the address is judged by the rule that calls it."""

    topics = forms.MultipleChoiceField(choices=Topic.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = Endpoint
        fields: ClassVar[list[str]] = ["code", "description", "url", "topics"]
        labels: ClassVar[dict[str, str]] = {"url": "Address"}
        widgets: ClassVar[dict[str, Any]] = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if flaw := outbound.find_flaw(url):
            raise forms.ValidationError(f"It {flaw}.")
        return url


@admin.register(Endpoint)
class EndpointAdmin(HistoryAdmin):
    """A closed endpoint stays closed, and what it was told stays."""

    form = EndpointForm
    change_roles = KEEPERS
    list_display = ("code", "description", "url", "told_about", "state")
    search_fields = ("code", "description", "url")
    actions_detail: ClassVar[list[str]] = ["rotate", "close"]

    def has_change_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.closed_at is None)

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        is_open = Endpoint.objects.filter(pk=object_id, closed_at=None).exists()
        return is_open and roles.has_role(request.user, KEEPERS)

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> list[Any]:
        asked = ["code", "description", "url", "topics"]
        return asked if obj is None else [*asked, "secrets_in_use", "created_at", "closed_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> list[Any]:
        return [] if obj is None else ["code", "secrets_in_use", "created_at", "closed_at"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        """Make or change the endpoint; a secret goes to the answer of this request and nowhere else."""
        asked = {name: form.cleaned_data[name] for name in ("description", "url", "topics")}
        if change:
            endpoints.change_endpoint(endpoint_id=obj.pk, changes=asked, actor=request.user, at=timezone.now())
            return
        made = endpoints.create_endpoint(code=form.cleaned_data["code"], **asked, actor=request.user, at=timezone.now())
        obj.pk, obj.text, obj.created_at = made.endpoint.pk, made.text, made.endpoint.created_at

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_secret(request, endpoint=obj, text=obj.text)

    @action(description="New secret", url_path="rotate", permissions=["end"], icon="key")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = Endpoint.objects.get(pk=object_id)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": f"New secret for {endpoint.code}",
                "opts": self.opts,
                "endpoint": endpoint,
                "hours": OVERLAP_HOURS,
                "back_to": reverse("admin:notices_endpoint_change", args=[object_id]),
            }
            return TemplateResponse(request, "notices/rotate_secret.html", context)
        made = endpoints.rotate_secret(
            endpoint_id=endpoint.pk, overlap_hours=OVERLAP_HOURS, actor=request.user, at=timezone.now()
        )
        return self._show_secret(request, endpoint=endpoint, text=made.text)

    @action(
        description="Close",
        permissions=["end"],
        icon="block",
        dialog={
            "title": "Close this endpoint",
            "description": "It is not called from now on. It cannot be undone.",
            "form_class": CloseForm,
            "form_submit_text": "Close",
        },
    )
    def close(self, request: HttpRequest, form: CloseForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: endpoints.close_endpoint(
                endpoint_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Closed.",
            back_to=reverse("admin:notices_endpoint_change", args=[object_id]),
        )

    def _show_secret(self, request: HttpRequest, *, endpoint: Any, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Secret of {endpoint.code}",
            "opts": self.opts,
            "endpoint": endpoint,
            "text": text,
            "back_to": reverse("admin:notices_endpoint_change", args=[endpoint.pk]),
        }
        answer = TemplateResponse(request, "notices/new_secret.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @display(description="Told about")
    def told_about(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.topics)

    @display(description="Secrets that sign now")
    def secrets_in_use(self, endpoint: Endpoint) -> str:
        told = [
            f"made {secret.created_at:%Y-%m-%d %H:%M}"
            + (f", until {secret.ends_at:%Y-%m-%d %H:%M}" if secret.ends_at else "")
            for secret in endpoint.secrets.all()
            if secret.ends_at is None or secret.ends_at > timezone.now()
        ]
        return "; ".join(told) or "none"

    @display(description="State", label={"Open": "success", "Closed": "danger"})
    def state(self, endpoint: Endpoint) -> str:
        return "Open" if endpoint.closed_at is None else "Closed"
