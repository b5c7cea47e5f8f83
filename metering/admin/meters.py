"""Meters and their versions: what is counted changes by a proposal that the meter's owner approves."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.backoffice import HistoryAdmin, answer_dialog
from metering import meter_versions, meters
from metering.admin.forms import MeterForm
from metering.admin.meter_forms import HandOverForm, NewMeterVersionForm
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
    actions_detail: ClassVar[list[str]] = ["propose", "hand_over"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        return super().get_queryset(request).prefetch_related("versions")

    def get_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [*SUBJECT, *FIRST] if obj is None else [*SUBJECT, "owner", "all_versions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Meter | None = None) -> list[Any]:
        return [] if obj is None else ["code", "contract", "unit", "owner", "all_versions"]

    @display(description="Measures")
    def measures(self, meter: Meter) -> str:
        approved = [one for one in meter.versions.all() if one.status == MeterVersion.Status.APPROVED]
        latest = max(approved, key=lambda one: (one.effective_at, one.version))
        return " of ".join(filter(None, [latest.get_aggregation_display(), latest.value_property]))

    @display(description="Versions")
    def all_versions(self, meter: Meter) -> SafeString:
        rows = [
            {"version": version, "url": reverse("admin:metering_meterversion_change", args=[version.pk])}
            for version in meter.versions.select_related("proposed_by", "decided_by")
        ]
        return render_to_string("metering/meter_versions.html", {"rows": rows})

    @action(
        description="Propose a version",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        icon="note_add",
        dialog={
            "title": "Propose a version",
            "description": "Nothing changes before the meter's owner approves it.",
            "form_class": NewMeterVersionForm,
            "form_submit_text": "Propose",
        },
    )
    def propose(self, request: HttpRequest, form: NewMeterVersionForm, object_id: str) -> HttpResponse:
        meter = Meter.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: meter_versions.propose_version(
                meter=meter,
                content=form.content(),
                effective_at=form.cleaned_data["effective_at"],
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="Proposed. Its page shows what would change; the meter's owner approves it there.",
            back_to=reverse("admin:metering_meter_change", args=[object_id]),
        )

    @action(
        description="Hand over",
        permissions=["change"],
        icon="swap_horiz",
        dialog={
            "title": "Hand the meter over",
            "description": "Whoever owns a meter approves its versions. Only the owner hands it over.",
            "form_class": HandOverForm,
            "form_submit_text": "Hand over",
        },
    )
    def hand_over(self, request: HttpRequest, form: HandOverForm, object_id: str) -> HttpResponse:
        meter = Meter.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: meters.hand_over_meter(
                meter=meter,
                to=form.cleaned_data["to"],
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="Handed over.",
            back_to=reverse("admin:metering_meter_change", args=[object_id]),
        )

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
