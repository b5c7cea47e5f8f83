"""What fee programs will have cost by the end of running periods."""

from django.contrib import admin
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core import money
from invoicing.exposure.models import ProgramCost


@admin.register(ProgramCost)
class ProgramCostAdmin(BackOfficeAdmin):
    """Projected by a job from sums of usage; nothing is edited."""

    list_display = ("customer", "program", "so_far_text", "at_end_text", "period_end", "active_accounts", "as_of")
    list_filter = ("program", "currency")
    list_select_related = ("customer", "program")
    fields = (
        "customer",
        "subscription",
        "program",
        "charge_code",
        "so_far_text",
        "at_end_text",
        "active_accounts",
        "expected_accounts",
        "period_start",
        "period_end",
        "as_of",
        "watermark_seq",
    )
    readonly_fields = fields

    @display(description="So far", ordering="so_far")
    def so_far_text(self, row: ProgramCost) -> str:
        return f"{money.amount_text(row.so_far, currency=row.currency)} {row.currency}"

    @display(description="At the end of the period", ordering="at_end")
    def at_end_text(self, row: ProgramCost) -> str:
        return f"{money.amount_text(row.at_end, currency=row.currency)} {row.currency}"
