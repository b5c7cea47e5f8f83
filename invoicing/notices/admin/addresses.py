"""Who is told by e-mail, beside the people of ops."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from accounts.backoffice import HistoryAdmin
from invoicing.notices.endpoints import KEEPERS
from invoicing.notices.models import Address


@admin.register(Address)
class AddressAdmin(HistoryAdmin):
    """Kept by engineering and ops; one that is not told any more is switched off."""

    change_roles = frozenset(KEEPERS)
    list_display = ("email", "audience", "state")
    list_filter: ClassVar[list[str]] = ["audience", "is_active"]
    search_fields = ("email",)
    fields = ("audience", "email", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Address | None = None) -> list[Any]:
        return [] if obj is None else ["audience", "email"]

    @display(description="State", label={"Told": "success", "Off": "none"})
    def state(self, address: Address) -> str:
        return "Told" if address.is_active else "Off"
