"""Webhook sources: made and mapped here; a secret is shown once, replaced and ended here."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.roles import Role
from core.http import parsing
from metering import webhooks
from metering.admin.forms import ReasonForm
from metering.models import WebhookSource
from metering.rules import exact_json
from metering.rules.adapters import webhook

KEEPERS = frozenset({Role.ENGINEERING})
OVERLAP_HOURS = 24
EXAMPLE = {"type": "=llm.tokens", "subject": "/account", "time": "/at", "data": {"input_tokens": "/usage/input"}}


class WebhookSourceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """The mapping as text, checked by the rule that uses it."""

    mapping = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "class": "bo-mono"}),
        help_text="JSON. Each value is fixed (=text) or a JSON pointer into the webhook's body (/usage/input).",
        initial=exact_json.write_indented(EXAMPLE),
    )

    class Meta:
        model = WebhookSource
        fields: ClassVar[list[str]] = ["code", "description", "mapping"]
        widgets: ClassVar[dict[str, Any]] = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["mapping"] = exact_json.write_indented(self.instance.mapping)

    def clean_mapping(self) -> Any:
        try:
            mapping = parsing.read_strict_json(self.cleaned_data["mapping"].encode())
            webhook.read_mapping(mapping)
        except ValueError as error:
            raise forms.ValidationError(f"It cannot be used: {error}.") from error
        return mapping


@admin.register(WebhookSource)
class WebhookSourceAdmin(HistoryAdmin):
    """A closed source stays closed, and its events stay."""

    form = WebhookSourceForm
    change_roles = KEEPERS
    list_display = ("code", "description", "address", "state")
    search_fields = ("code", "description")
    actions_detail: ClassVar[list[str]] = ["rotate", "close"]

    def has_change_permission(self, request: HttpRequest, obj: WebhookSource | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.closed_at is None)

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        is_open = WebhookSource.objects.filter(pk=object_id, closed_at=None).exists()
        return is_open and roles.has_role(request.user, KEEPERS)

    def get_fields(self, request: HttpRequest, obj: WebhookSource | None = None) -> list[Any]:
        asked = ["code", "description", "mapping"]
        return asked if obj is None else [*asked, "address", "secrets_in_use", "created_at", "closed_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookSource | None = None) -> list[Any]:
        return [] if obj is None else ["code", "address", "secrets_in_use", "created_at", "closed_at"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        """Make or change the source; a secret goes to the answer of this request and nowhere else."""
        asked = {name: form.cleaned_data[name] for name in ("description", "mapping")}
        if change:
            webhooks.change_source(code=obj.code, changes=asked, actor=request.user, at=timezone.now())
            return
        made = webhooks.create_source(code=form.cleaned_data["code"], **asked, actor=request.user, at=timezone.now())
        obj.pk, obj.text, obj.created_at = made.source.pk, made.text, made.source.created_at

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_secret(request, source=obj, text=obj.text)

    @action(description="New secret", url_path="rotate", permissions=["end"], icon="key")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = WebhookSource.objects.get(pk=object_id)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": f"New secret for {source.code}",
                "opts": self.opts,
                "source": source,
                "hours": OVERLAP_HOURS,
                "back_to": reverse("admin:metering_webhooksource_change", args=[object_id]),
            }
            return TemplateResponse(request, "metering/rotate_webhook_secret.html", context)
        made = webhooks.rotate_secret(
            code=source.code, overlap_hours=OVERLAP_HOURS, actor=request.user, at=timezone.now()
        )
        return self._show_secret(request, source=source, text=made.text)

    @action(
        description="Close",
        permissions=["end"],
        icon="block",
        dialog={
            "title": "Close this source",
            "description": "Its webhooks are refused from now on. It cannot be undone.",
            "form_class": ReasonForm,
            "form_submit_text": "Close",
        },
    )
    def close(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        source = WebhookSource.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: webhooks.close_source(
                code=source.code, reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Closed.",
            back_to=reverse("admin:metering_webhooksource_change", args=[object_id]),
        )

    def _show_secret(self, request: HttpRequest, *, source: Any, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Secret of {source.code}",
            "opts": self.opts,
            "source": source,
            "text": text,
            "address": request.build_absolute_uri(f"/api/v1/capture/webhooks/{source.code}"),
            "back_to": reverse("admin:metering_webhooksource_change", args=[source.pk]),
        }
        answer = TemplateResponse(request, "metering/new_webhook_secret.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @display(description="Address")
    def address(self, source: WebhookSource) -> SafeString:
        return format_html('<span class="bo-mono">/api/v1/capture/webhooks/{}</span>', source.code)

    @display(description="Secrets that sign now")
    def secrets_in_use(self, source: WebhookSource) -> str:
        told = [
            f"made {secret.created_at:%Y-%m-%d %H:%M}"
            + (f", until {secret.ends_at:%Y-%m-%d %H:%M}" if secret.ends_at else "")
            for secret in source.secrets.all()
            if secret.ends_at is None or secret.ends_at > timezone.now()
        ]
        return "; ".join(told) or "none"

    @display(description="State", label={"Open": "success", "Closed": "danger"})
    def state(self, source: WebhookSource) -> str:
        return "Open" if source.closed_at is None else "Closed"
