"""The usual reasons to hold and to release: finance adds to the list, and takes what is out of use off it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.backoffice import HistoryAdmin
from accounts.roles import Role
from invoicing.cycle.models import HoldReason


@admin.register(HoldReason)
class HoldReasonAdmin(HistoryAdmin):
    """Nothing is deleted: a reason out of use still stands behind earlier decisions."""

    change_roles = frozenset({Role.FINANCE})
    list_display = ("label", "use", "code", "is_in_use")
    list_filter: ClassVar[list[str]] = ["use", "is_in_use"]
    search_fields = ("label", "code")
    fields = ("use", "code", "label", "is_in_use")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("use", "code") if obj else ()
