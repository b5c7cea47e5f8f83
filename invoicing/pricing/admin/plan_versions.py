"""One version of a plan's terms."""

from typing import Any, ClassVar

from django.contrib import admin

from invoicing.pricing import plans
from invoicing.pricing.backoffice import DECISION, ProposalAdmin
from invoicing.pricing.models import PlanVersion


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
