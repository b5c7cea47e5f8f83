"""Every charge control that fired, with its figures and the policy version that decided."""

from typing import ClassVar

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core import money
from invoicing.charge_controls.models import ControlFiring


@admin.register(ControlFiring)
class ControlFiringAdmin(BackOfficeAdmin):
    """Kept as it fired."""

    list_display = ("fired_at", "customer", "action", "exposure_text", "line_text", "limit_from", "policy")
    list_filter: ClassVar[list[str]] = ["action", "currency"]
    list_select_related = ("customer", "policy")
    search_fields = ("customer__code", "customer__legal_name")
    fields = (
        "customer",
        "action",
        "exposure_text",
        "line_text",
        "limit_from",
        "policy",
        "crossing",
        "fired_at",
        "figures",
    )
    readonly_fields = fields

    @display(description="Exposure", ordering="exposure")
    def exposure_text(self, firing: ControlFiring) -> str:
        return f"{money.amount_text(firing.exposure, currency=firing.currency)} {firing.currency}"

    @display(description="Line", ordering="line")
    def line_text(self, firing: ControlFiring) -> str:
        return f"{money.amount_text(firing.line, currency=firing.currency)} {firing.currency}"

    @display(description="Figures that decided")
    def figures(self, firing: ControlFiring) -> SafeString:
        return render_to_string("charge_controls/figures.html", {"figures": firing.inputs.items()})
