"""Meters and their versions: what is counted changes by a proposal that the meter's owner approves."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.backoffice import HistoryAdmin
from metering import meters
from metering.admin.forms import MeterForm
from metering.meters import KEEPERS
from metering.models import Meter, MeterVersion

SUBJECT = ("code", "contract", "unit", "name")
FIRST = ("definition", "exclusions", "aggregation", "value_property")


@admin.register(Meter)
class MeterAdmin(HistoryAdmin):
    """Only the name is edited in place; this meter has figures that were billed."""

    change_roles = KEEPERS
    list_display = ("name", "code", "unit", "measures", "contract", "owner")
    list_filter: ClassVar[list[str]] = ["contract"]
    search_fields = ("code", "name")
    list_select_related = ("contract", "owner")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        return super().get_queryset(request).prefetch_related("versions")

    def get_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [*SUBJECT, *FIRST] if obj is None else [*SUBJECT, "owner"]

    def get_readonly_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [] if obj is None else ["code", "contract", "unit", "owner"]

    @display(description="Measures")
    def measures(self, meter: Meter) -> str:
        approved = [one for one in meter.versions.all() if one.status == MeterVersion.Status.APPROVED]
        latest = max(approved, key=lambda one: (one.effective_at, one.version))
        return " of ".join(filter(None, [latest.get_aggregation_display(), latest.value_property]))

    def get_form(self, request: HttpRequest, obj: Meter | None = None, **kwargs: Any) -> Any:
        """Ask for the first version only where there is none."""
        own = {} if obj is not None else {"form": MeterForm}
        return super().get_form(request, obj, **{**kwargs, **own})

    def save_model(self, request: HttpRequest, obj: Meter, form: Any, change: Any) -> None:
        if change:
            words = {name: getattr(obj, name) for name in form.changed_data}
            meters.describe_meter(meter=obj, changes=words, actor=request.user)
            return
        # Whoever defines a meter answers for it.
        obj.pk = meters.create_meter(**form.cleaned_data, owner=request.user).pk
