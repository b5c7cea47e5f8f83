"""Which number an account has in the company's general ledger."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.backoffice import HistoryAdmin
from accounts.roles import Role
from invoicing.ledger.models import GeneralLedgerNumber


@admin.register(GeneralLedgerNumber)
class GeneralLedgerNumberAdmin(HistoryAdmin):
    """Finance says it once per account; exports carry it from then on."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})
    list_display = ("account", "number")
    search_fields = ("account", "number")
    fields = ("account", "number")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("account",)
