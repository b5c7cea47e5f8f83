"""Every alert that fired: its figure, its line, the policy version that drew it, and who was told."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core import money
from invoicing.alerts.models import AlertFiring
from invoicing.notices import queries as notice_queries


@admin.register(AlertFiring)
class AlertFiringAdmin(BackOfficeAdmin):
    """Kept as it fired; there is nothing to decide about it."""

    list_display = ("fired_at", "customer", "kind", "subject", "value_text", "line_text", "policy")
    list_filter: ClassVar[list[str]] = ["kind"]
    list_select_related = ("customer", "policy")
    search_fields = ("customer__code", "customer__legal_name", "subject")
    fields: ClassVar[list[str]] = []
    change_form_template = "alerts/firing.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        firing = self.get_object(request, object_id)
        context = {} if firing is None else page_context(firing)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="Figure", ordering="value")
    def value_text(self, firing: AlertFiring) -> str:
        return figure_text(firing.value, firing.rule)

    @display(description="Line", ordering="line")
    def line_text(self, firing: AlertFiring) -> str:
        return figure_text(firing.line, firing.rule)


def figure_text(number: Decimal, rule: dict[str, Any]) -> str:
    """Money with its currency, a quantity plain."""
    if "currency" not in rule:
        return money.plain(number)
    return f"{money.amount_text(number, currency=rule['currency'])} {rule['currency']}"


def page_context(firing: AlertFiring) -> dict[str, Any]:
    usage = firing.inputs.get("usage", [])
    return {
        "firing": firing,
        "value": figure_text(firing.value, firing.rule),
        "line": figure_text(firing.line, firing.rule),
        "usage": usage,
        "figures": [
            (name.replace("_", " ").capitalize(), text)
            for name, text in firing.inputs.items()
            if isinstance(text, str | int)
        ],
        "deliveries": notice_queries.deliveries_of(f"alert:{firing.pk}"),
    }
