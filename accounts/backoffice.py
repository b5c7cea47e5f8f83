"""The base of every back-office page: roles decide, nothing is deleted, history is shown."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline

from accounts import roles
from accounts.roles import Role
from core.errors import DomainError


class RoleRules:
    """`view_roles` and `change_roles` per model; deletes are off everywhere."""

    view_roles: ClassVar[frozenset[Role]] = frozenset(Role)
    change_roles: ClassVar[frozenset[Role]] = frozenset()
    add_roles: ClassVar[frozenset[Role] | None] = None  # None: the same as change_roles

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _allows(request, self.view_roles | self.change_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _allows(request, self.change_roles)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _allows(request, self.change_roles if self.add_roles is None else self.add_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _allows(request: HttpRequest, allowed: Iterable[Role]) -> bool:
    return bool(request.user.is_staff) and roles.has_role(request.user, allowed)


class BackOfficeAdmin(RoleRules, ModelAdmin):
    """A page for things that people may edit or only read, as the roles say."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True


class HistoryAdmin(RoleRules, SimpleHistoryAdmin, ModelAdmin):
    """The same with django-simple-history behind the History button."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True


class BackOfficeInline(RoleRules, TabularInline):
    """Rows of another model on a page, under the same rules."""

    extra = 0
    tab = False


def answer_dialog(request: HttpRequest, *, call: Callable[[], object], success: str, back_to: str) -> HttpResponse:
    """Make the one domain call of a dialog and go back to its page with the outcome as a message."""
    try:
        call()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, success)
    return HttpResponse(headers={"HX-Redirect": back_to})
