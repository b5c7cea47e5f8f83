"""Meters: what is counted may be described anew, never changed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.backoffice import HistoryAdmin
from accounts.roles import Role
from metering import meters
from metering.admin.forms import MeterForm
from metering.models import Meter

WORDS = ("name", "definition", "exclusions", "unit")
MEASURE = ("code", "contract", "aggregation", "value_property")


@admin.register(Meter)
class MeterAdmin(HistoryAdmin):
    """A meter that should measure something else is a new meter; this one has figures that were billed."""

    form = MeterForm
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
        if change:
            words = {name: getattr(obj, name) for name in form.changed_data}
            meters.describe_meter(meter=obj, changes=words, actor=request.user)
            return
        given = {name: getattr(obj, name) for name in (*MEASURE, *WORDS)}
        obj.pk = meters.create_meter(**given, owner=request.user).pk  # whoever defines a meter answers for it
