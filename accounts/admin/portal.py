"""Portal users: people of customers, each of exactly one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from accounts import portal_access, roles
from accounts.admin.forms import ConfirmForm, NewPortalUserForm, PasswordForm
from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.models import PortalUser
from accounts.roles import Role


@admin.register(PortalUser)
class PortalUserAdmin(HistoryAdmin):
    """Access is given, closed and opened; to which customer it belongs never changes."""

    add_roles: ClassVar[frozenset[Role] | None] = frozenset({Role.FINANCE, Role.OPS})
    list_display = ("user", "name", "customer", "last_active", "state")
    list_filter = ("customer",)
    search_fields = ("user__username", "user__email", "customer__code", "customer__legal_name")
    list_select_related = ("user", "customer")
    actions_detail: ClassVar[list[str]] = ["close_access", "open_access", "set_password"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj:
            return ("user", "name", "email", "customer", "last_active", "state")
        return ("customer", "username", "first_name", "last_name", "email", "password")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  as in Django
        return super().get_form(request, obj, change, **(kwargs if obj else {**kwargs, "form": NewPortalUserForm}))

    def save_model(self, request: HttpRequest, obj: PortalUser, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        asked = form.cleaned_data
        person = {name: asked[name] for name in ("username", "first_name", "last_name", "email")}
        made = portal_access.give_access(
            customer=asked["customer"],
            person=person,
            password=asked["password"],
            actor=request.user,
            at=timezone.now(),
        )
        obj.pk, obj.user = made.pk, made.user

    def _may(self, request: HttpRequest, object_id: Any, *, is_open: bool) -> bool:
        is_so = PortalUser.objects.filter(pk=object_id, user__is_active=is_open).exists()
        return is_so and roles.has_role(request.user, self.add_roles or ())

    def has_close_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, object_id, is_open=True)

    def has_open_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, object_id, is_open=False)

    @action(
        description="Close access",
        permissions=["close"],
        icon="block",
        dialog={
            "title": "Close this access",
            "description": "The person is signed out and cannot sign in until it is opened again.",
            "form_class": ConfirmForm,
            "form_submit_text": "Close access",
        },
    )
    def close_access(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return self._set_open(request, object_id, is_open=False, success="Closed.")

    @action(
        description="Open access",
        permissions=["open"],
        icon="key",
        dialog={
            "title": "Open this access again",
            "description": "The person can sign in with the password they had.",
            "form_class": ConfirmForm,
            "form_submit_text": "Open access",
        },
    )
    def open_access(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return self._set_open(request, object_id, is_open=True, success="Open again.")

    @action(
        description="Set a new password",
        permissions=["close"],
        icon="password",
        dialog={
            "title": "Set a new password",
            "description": "Every session under the old one ends.",
            "form_class": PasswordForm,
            "form_submit_text": "Set password",
        },
    )
    def set_password(self, request: HttpRequest, form: PasswordForm, object_id: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: portal_access.set_password(
                portal_user_id=int(object_id),
                password=form.cleaned_data["password"],
                actor=request.user,
                at=timezone.now(),
            ),
            "The new password counts from now on.",
        )

    def _set_open(self, request: HttpRequest, object_id: str, *, is_open: bool, success: str) -> HttpResponse:
        return self._answer(
            request,
            object_id,
            lambda: portal_access.set_open(
                portal_user_id=int(object_id), is_open=is_open, actor=request.user, at=timezone.now()
            ),
            success,
        )

    def _answer(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse("admin:accounts_portaluser_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)

    @display(description="Name")
    def name(self, portal_user: PortalUser) -> str:
        return portal_user.user.get_full_name()

    @display(description="E-mail")
    def email(self, portal_user: PortalUser) -> str:
        return portal_user.user.email

    @display(description="Last signed in", ordering="user__last_login")
    def last_active(self, portal_user: PortalUser) -> str:
        at = portal_user.user.last_login
        return f"{at:%d %b %Y %H:%M} UTC" if at else "never"

    @display(description="State", label={"Open": "success", "Closed": "danger"})
    def state(self, portal_user: PortalUser) -> str:
        return "Open" if portal_user.user.is_active else "Closed"
