"""What these pages share: a page to read instead of a form, and dialogs that keep what was typed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm

from core import money
from core.errors import DomainError

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


def decide(
    request: HttpRequest,
    form: BaseDialogForm,
    *,
    dialog: ActionDialog,
    call: Callable[[], Any],
    success: str,
    back_to: Callable[[Any], str],
) -> HttpResponse:
    """Make the one domain call; a refusal is shown in the dialog, beside the field it is about."""
    try:
        made = call()
    except DomainError as error:
        form.add_error(_field_at_fault(form, error), error.message)
        text = dialog.get("form_submit_text")
        return render(request, "unfold/helpers/dialog.html", {"dialog": dialog, "form": form, "form_submit_text": text})
    messages.success(request, success)
    return HttpResponse(headers={"HX-Redirect": back_to(made)})


def _field_at_fault(form: BaseDialogForm, error: DomainError) -> str:
    named = (error.pointer or "").strip("/")
    visible = [field.name for field in form.visible_fields()]
    return named if named in visible else visible[0]


def row_id(object_id: str | int | None) -> int:
    """The number in a page's address; 0, which no row has, for anything else."""
    text = str(object_id)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < ID_DIGITS_MAX else 0


def amount_of(amount: Decimal, currency: str) -> str:
    """1,250.00 EUR."""
    return f"{money.round_amount(amount, currency=currency):,f} {currency}"
