"""Documents = books = export over some days, as a page beside the trial balance."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from core import money
from invoicing.cycle import books_check
from invoicing.cycle.books_check import Compared
from invoicing.ledger.forms import DaysForm

PLACES = (("Final documents", "documents"), ("Books", "books"), ("Export", "exported"))


def show(request: HttpRequest, *, context: dict[str, Any]) -> HttpResponse:
    """What was issued on the chosen days, as three places have it, and whether they agree."""
    form = DaysForm.over(request.GET, today=timezone.localdate())
    found = books_check.compare_days(start=form.start, end=form.end) if form.is_valid() else []
    crumbs = [
        ("Billing cycles", reverse("admin:cycle_billingcycle_changelist")),
        ("Month-end", reverse("admin:cycle_billingcycle_month")),
    ]
    shown = {
        "title": "Invoices, books and export",
        "crumbs": crumbs,
        "form": form,
        "currencies": [_texts(one) for one in found],
    }
    return TemplateResponse(request, "cycle/books.html", {**context, **shown})


def _texts(one: Compared) -> dict[str, Any]:
    rows = []
    for words, name in PLACES:
        owed, tax = getattr(one, name)
        amounts = {"owed": _amount(owed, one.currency), "tax": _amount(tax, one.currency)}
        rows.append({"place": words, **amounts, "is_first": (owed, tax) == one.documents})
    return {"currency": one.currency, "is_equal": one.is_equal, "rows": rows}


def _amount(amount: Any, currency: str) -> str:
    return f"{money.round_amount(amount, currency=currency):,f}"
