"""The base of every back-office page: roles decide, nothing is deleted, history is shown."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm

from accounts import roles
from accounts.roles import Role
from core import activation
from core.activation import NotYetError, Refusal
from core.errors import DomainError

ID_DIGITS_MAX = 18
SAFE_METHODS = ("GET", "HEAD")


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
    return bool(request.user.is_staff) and not _roles_of(request).isdisjoint({str(role) for role in allowed})


def _roles_of(request: Any) -> frozenset[str]:
    """Asked once per request: a page asks for each entry of its menu. Decisions are asked again by their stages."""
    if not hasattr(request, "held_roles"):
        request.held_roles = roles.roles_of(request.user)
    held: frozenset[str] = request.held_roles
    return held


class OneSave:
    """One way to save, which leads back to the list; the usual three say too little and add by accident."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        one = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, {**context, **one}, *args, **kwargs)  # type: ignore[misc]  # as below


class NamelessLog:
    """Django's log of changes says which row it was by number: what the row is called may be a person's name."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _log(request, obj, flag=ADDITION, message=message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return _log(request, obj, flag=CHANGE, message=message)


def _log(request: HttpRequest, obj: Model, *, flag: int, message: Any) -> LogEntry:
    return LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(obj, for_concrete_model=False),
        object_id=obj.pk,
        object_repr=f"{obj._meta.verbose_name} {obj.pk}",
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )


class WholeIds:
    """Unfold hands the id of an address on as it stands; one that no row can have is not found, as elsewhere."""

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()  # type: ignore[misc]  # the page's own, mixed in after
        return [_with_whole_id(pattern) for pattern in urls]


def _with_whole_id(pattern: URLPattern) -> URLPattern:
    view = pattern.callback

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not all(_is_whole(given) for given in (*args, kwargs.get("object_id", "0"))):
            raise Http404
        return view(request, *args, **kwargs)

    pattern.callback = guarded
    return pattern


def _is_whole(given: Any) -> bool:
    text = str(given)
    return text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS_MAX


class BackOfficeAdmin(WholeIds, OneSave, NamelessLog, RoleRules, ModelAdmin):
    """A page for things that people may edit or only read, as the roles say."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True


class HistoryAdmin(WholeIds, OneSave, NamelessLog, RoleRules, SimpleHistoryAdmin, ModelAdmin):
    """The same with django-simple-history behind the History button."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Old versions are read; the library would let whoever may see one save it, or anything else, by POST."""
        if request.method not in SAFE_METHODS:
            raise PermissionDenied
        response: HttpResponseBase = super().history_form_view(request, object_id, version_id, extra_context)
        return response


class BackOfficeInline(RoleRules, TabularInline):
    """Rows of another model on a page, under the same rules."""

    extra = 0
    tab = False


def answer_dialog(request: HttpRequest, *, call: Callable[[], object], success: str, back_to: str) -> HttpResponse:
    """Make the one domain call of a dialog and go back to its page with the outcome as a message."""
    try:
        call()
    except DomainError as error:
        tell_refusal(request, error)
    else:
        messages.success(request, success)
    return HttpResponse(headers={"HX-Redirect": back_to})


def answer_in_dialog(
    request: HttpRequest,
    form: BaseDialogForm,
    *,
    dialog: ActionDialog,
    call: Callable[[], Any],
    success: str,
    back_to: Callable[[Any], str],
) -> HttpResponse:
    """Make the one domain call of a dialog and go to the page that `back_to` names for what it returned.

    A refusal is shown in the dialog, beside the field it is about, and nothing typed is lost.
    """
    try:
        made = call()
    except DomainError as error:
        form.add_error(_field_at_fault(form, error), error.message)
        text = dialog.get("form_submit_text")
        return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": text})
    messages.success(request, success)
    return HttpResponse(headers={"HX-Redirect": back_to(made)})


def _field_at_fault(form: BaseDialogForm, error: DomainError) -> str | None:
    named = (error.pointer or "").strip("/")
    visible = [field.name for field in form.visible_fields()]
    if named in visible:
        return named
    return visible[0] if visible else None


def tell_refusal(request: HttpRequest, error: DomainError) -> None:
    """The sentence of a refusal as a message; of guards each its own, with the page where it is mended."""
    if not isinstance(error, NotYetError):
        messages.error(request, error.message)
        return
    for refusal in error.refusals:
        messages.error(request, _with_link(refusal))


def in_the_way(thing: Model, *, at: datetime) -> SafeString:
    """What guards would refuse now, for the page of something that waits for its decision."""
    found = [(_with_link(refusal),) for refusal in activation.find_refusals(thing, at=at)]
    return format_html_join("", "<div>{}</div>", found) if found else format_html("{}", "Nothing")


def _with_link(refusal: Refusal) -> SafeString:
    if not refusal.link:
        return format_html("{} {}", refusal.sentence, refusal.remedy)
    return format_html('{} {} <a class="underline" href="{}">Look</a>', refusal.sentence, refusal.remedy, refusal.link)
