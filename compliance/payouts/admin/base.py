"""What these pages share: a page to read instead of a form."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from core import money

ID_DIGITS_MAX = 19  # what a bigint surely holds


class ReadingPage(ModelAdmin):
    """Mix in before the base: nothing is edited in place, and the page of one object is its own template."""

    page_template: str

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        context = self.page_context(request, obj) if obj and self.has_view_permission(request, obj) else {}
        context["show_history"] = hasattr(self.model, "history")
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})
        if isinstance(response, TemplateResponse) and obj:
            response.template_name = self.page_template
        return response

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return []  # no form: see change_view


def row_id(object_id: str | int | None) -> int:
    """The number in a page's address; 0, which no row has, for anything else."""
    text = str(object_id)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < ID_DIGITS_MAX else 0


def amount_of(amount: Decimal, currency: str) -> str:
    """1,250.00 EUR."""
    return f"{money.round_amount(amount, currency=currency):,f} {currency}"
