"""One version of a plan's terms."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from invoicing.pricing import plans
from invoicing.pricing.backoffice import DECISION, ProposalAdmin
from invoicing.pricing.models import PlanVersion
from invoicing.pricing.rules import differences


@admin.register(PlanVersion)
class PlanVersionAdmin(ProposalAdmin):
    """Read only; new versions are proposed on the page of their plan."""

    approve_version = staticmethod(plans.approve_version)
    withdraw_version = staticmethod(plans.withdraw_version)
    list_display = ("plan", "version", "status_label", "effective_at", "proration_unit", "created_by", "decided_by")
    list_filter = ("status", "plan")
    list_select_related = ("plan", "created_by", "decided_by")
    search_fields = ("plan__code", "plan__name")
    fields: ClassVar[Any] = ("plan", "version", "effective_at", *PlanVersion.TERMS, *DECISION)
    readonly_fields = fields
    change_form_outer_after_template = "pricing/plan_version_tools.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below stand the terms before these side by side, and the question of their effect."""
        terms = self.get_object(request, object_id)
        shown = {} if terms is None else _beside(terms)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})


def _beside(terms: PlanVersion) -> dict[str, Any]:
    others = terms.plan.versions.filter(version__lt=terms.version).order_by("-effective_at", "-version")
    before = next((each for each in others if each.counts and each.effective_at <= terms.effective_at), others.first())
    return {"terms": terms, "beside": before, "differences": differences.compare(_said(before), _said(terms))}


def _said(terms: PlanVersion | None) -> dict[str, str]:
    if terms is None:
        return {}
    return {
        "a part of a period is charged": terms.get_proration_unit_display(),
        "in whose days": terms.proration_zone or "those of the subscription",
        "rounded once is": terms.get_rounding_level_display(),
        "in force from": f"{terms.effective_at:%Y-%m-%d %H:%M} UTC",
    }
