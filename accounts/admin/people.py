"""People who work here and their roles; only an administrator (superuser) sees these pages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import sign_in, staff
from accounts.admin.forms import ConfirmForm, NewPersonForm, PersonForm
from accounts.backoffice import OneSave, WholeIds, answer_dialog
from accounts.roles import Role

admin.site.unregister(User)
admin.site.unregister(Group)  # the groups are the roles; who holds one stands on the person's page


@admin.register(User)
class StaffAdmin(WholeIds, OneSave, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # Django's takes none at run time
    """Nobody is deleted: what they decided keeps their name."""

    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = True
    warn_unsaved_form = True
    list_display = ("username", "name", "role_list", "is_active", "is_superuser", "last_login", "lock")
    list_filter = ("groups", "is_active", "is_superuser")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions_detail: ClassVar[list[str]] = ["unlock"]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May do", {"fields": ("groups", "is_active", "is_staff", "is_superuser")}),
        ("Seen", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May do", {"fields": ("groups", "is_staff")}),
    )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Roles as boxes to tick, each read at a glance."""
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.widget = UnfoldAdminCheckboxSelectMultipleWidget()
        field.label, field.help_text = "Roles", "What a person may read and decide."
        field.queryset = Group.objects.filter(name__in=list(Role))
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People of customers have a page of their own."""
        return super().get_queryset(request).filter(portal_user=None).prefetch_related("groups")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_unlock_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        user = User.objects.filter(pk=object_id).first()
        return user is not None and bool(request.user.is_superuser) and bool(self.lock(user))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        known = User.objects.filter(pk=obj.pk).first() if change else None
        form.standing_before = staff.standing(known) if known else []
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        super().save_related(request, form, formsets, change)
        staff.record_roles(
            user=form.instance,
            before=form.standing_before,
            after=staff.standing(form.instance),
            actor=request.user,
            at=timezone.now(),
        )

    @action(
        description="Unlock sign-in",
        permissions=["unlock"],
        icon="lock_open",
        dialog={
            "title": "Unlock this sign-in",
            "description": "Ask the person first whether the wrong passwords were theirs.",
            "form_class": ConfirmForm,
            "form_submit_text": "Unlock",
        },
    )
    def unlock(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        user = User.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: sign_in.forget_failures(name=user.username),
            success=f"{user.username} can sign in again.",
            back_to=reverse("admin:auth_user_change", args=[object_id]),
        )

    @display(description="Name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @display(description="Roles")
    def role_list(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    @display(description="Locked until")
    def lock(self, user: User) -> str:
        until = sign_in.locked_until(name=user.username, at=timezone.now())
        return f"{until:%H:%M} UTC" if until else ""
