"""API keys: made here, shown once, revoked here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from accounts import keys, roles
from accounts.admin.forms import NewKeyForm, ReasonForm
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.models import ApiKey
from accounts.roles import Role


@admin.register(ApiKey)
class ApiKeyAdmin(BackOfficeAdmin):
    """Nothing of a key is edited: a new one is made and the old one revoked."""

    view_roles: ClassVar[frozenset[Role]] = frozenset({Role.ENGINEERING, Role.AUDITOR})
    list_display = ("name", "public_id", "user", "scope_list", "created_at", "last_used_at", "state")
    list_filter = ("user",)
    search_fields = ("name", "public_id", "user__username")
    actions_detail: ClassVar[list[str]] = ["revoke"]
    fields = ("name", "public_id", "user", "scope_list", "created_at", "last_used_at", "revoked_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser) or roles.has_role(request.user, [Role.ENGINEERING])

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        is_live = ApiKey.objects.filter(pk=object_id, revoked_at=None).exists()
        return is_live and self.has_add_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("name", "user", "scopes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  as in Django
        if obj:
            return super().get_form(request, obj, change, **kwargs)
        return type("NewKeyForm", (NewKeyForm,), {"actor": request.user})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        """Make the key; its text goes to the answer of this request and nowhere else."""
        asked = form.cleaned_data
        made, text = keys.new_key(
            name=asked["name"], user=asked["user"], scopes=asked["scopes"], actor=request.user, at=timezone.now()
        )
        obj.pk = made.pk
        obj.text = text

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "New API key",
            "opts": self.opts,
            "key": ApiKey.objects.get(pk=obj.pk),
            "text": obj.text,
            "address": request.build_absolute_uri("/api/v1/customers"),
        }
        return TemplateResponse(request, "accounts/new_key.html", context, headers={"Cache-Control": "no-store"})

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return super().log_addition(request, ApiKey.objects.get(pk=obj.pk), message)

    @action(
        description="Revoke",
        permissions=["revoke"],
        icon="block",
        dialog={
            "title": "Revoke this key",
            "description": "Programs that use it are refused from now on. It cannot be undone.",
            "form_class": ReasonForm,
            "form_submit_text": "Revoke",
        },
    )
    def revoke(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: keys.revoke_key(
                key_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Revoked.",
            back_to=reverse("admin:accounts_apikey_change", args=[object_id]),
        )

    @display(description="Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="State", label={"Live": "success", "Revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        return "Live" if key.revoked_at is None else "Revoked"
