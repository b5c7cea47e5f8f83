"""Meters: what is counted may be described anew, never changed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.backoffice import HistoryAdmin
from accounts.roles import Role
from metering.models import Meter

WORDS = ("name", "definition", "exclusions", "unit")
MEASURE = ("code", "contract", "aggregation", "value_property")


@admin.register(Meter)
class MeterAdmin(HistoryAdmin):
    """A meter that should measure something else is a new meter; this one has figures that were billed."""

    change_roles = frozenset({Role.ENGINEERING, Role.PRODUCT})
    list_display = ("name", "code", "unit", "aggregation", "value_property", "contract", "owner")
    list_filter: ClassVar[list[str]] = ["aggregation", "contract"]
    search_fields = ("code", "name", "definition")
    list_select_related = ("contract", "owner")

    def get_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [*MEASURE, *WORDS] if obj is None else [*MEASURE, *WORDS, "owner"]

    def get_readonly_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [] if obj is None else [*MEASURE, "owner"]

    def save_model(self, request: HttpRequest, obj: Meter, form: Any, change: Any) -> None:
        if not change:
            obj.owner_id = request.user.pk  # whoever defines a meter answers for it
        super().save_model(request, obj, form, change)
