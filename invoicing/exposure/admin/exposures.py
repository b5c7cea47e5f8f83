"""What customers owe or will owe by now, and what the figures are made of."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core import money
from invoicing.cycle import collection
from invoicing.exposure.models import Exposure, ExposureDay

DAYS_SHOWN = 31
SOURCES = {
    "sums": "sums of usage",
    "events": "counted from events",
    "earlier_count": "an earlier count",
    "agreement": "agreed",
}


@admin.register(Exposure)
class ExposureAdmin(BackOfficeAdmin):
    """Brought up to date by a job; nothing is edited."""

    list_display = ("customer", "total_text", "unbilled_text", "drafted_text", "unpaid_text", "as_of", "made")
    list_filter: ClassVar[list[str]] = ["currency", "is_complete"]
    list_select_related = ("customer",)
    search_fields = ("customer__code", "customer__legal_name")
    fields: ClassVar[list[str]] = []
    change_form_template = "exposure/exposure.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        context = {} if row is None else page_context(row)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="Exposure", ordering="total")
    def total_text(self, row: Exposure) -> str:
        return f"{_text(row.total, row)} {row.currency}"

    @display(description="Not billed yet", ordering="unbilled")
    def unbilled_text(self, row: Exposure) -> str:
        return _text(row.unbilled, row)

    @display(description="Drafts", ordering="drafted")
    def drafted_text(self, row: Exposure) -> str:
        return _text(row.drafted, row)

    @display(description="Unpaid", ordering="unpaid")
    def unpaid_text(self, row: Exposure) -> str:
        return _text(row.unpaid, row)

    @display(description="Figures", label={"Whole": "success", "Being caught up": "warning", "Incomplete": "danger"})
    def made(self, row: Exposure) -> str:
        if row.is_complete:
            return "Whole"
        return "Being caught up" if row.is_behind else "Incomplete"


def _text(amount: Decimal, row: Exposure) -> str:
    return money.amount_text(amount, currency=row.currency)


def page_context(row: Exposure) -> dict[str, Any]:
    """The figures, the bills behind them line by line, usage by meter, and how each day ended."""
    days = ExposureDay.objects.filter(customer=row.customer_id, currency=row.currency)[:DAYS_SHOWN]
    names = ("total", "unbilled", "drafted", "unpaid", "projected")
    on_hold = collection.amounts_on_hold([row.customer_id]).get((row.customer_id, row.currency))
    return {
        "row": row,
        "not_collected": None if on_hold is None else _text(on_hold, row),
        "figures": {name: _text(getattr(row, name), row) for name in names},
        "elapsed": f"{row.elapsed * 100:.0f} %",
        "bills": [_bill(bill) for bill in row.inputs["bills"]],
        "days": [(day.day, _text(day.total, row), _text(day.unbilled, row)) for day in days],
    }


def _before_prepaid(bill: dict[str, Any]) -> Decimal | None:
    """What is to be paid and what was paid in advance; None where nothing was.

    Rows that were written before `prepaid` was noted are made anew within the hour.
    """
    prepaid = Decimal(bill.get("prepaid", 0))
    return Decimal(bill["payable"]) + prepaid if prepaid else None


def _bill(bill: dict[str, Any]) -> dict[str, Any]:
    return bill | {
        "lines": [_line(line) for line in bill["lines"]],
        "before_prepaid": _before_prepaid(bill),
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"source": SOURCES[line["read_from"]]}
