"""The journal, the trial balance over a stretch of days, and their export."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin, BackOfficeInline
from core import money
from invoicing.ledger import export, queries
from invoicing.ledger.forms import DaysForm
from invoicing.ledger.models import JournalEntry, Posting
from invoicing.ledger.queries import BalanceRow
from invoicing.ledger.rules import chart


class PostingInline(BackOfficeInline):
    model = Posting
    fields = ("account_title", "debit_amount", "credit_amount")
    readonly_fields = fields

    @display(description="Account")
    def account_title(self, posting: Posting) -> str:
        return chart.title_of(posting.account)

    @display(description="Debit")
    def debit_amount(self, posting: Posting) -> str:
        return _side(posting.debit, currency=posting.entry.currency)

    @display(description="Credit")
    def credit_amount(self, posting: Posting) -> str:
        return _side(posting.credit, currency=posting.entry.currency)


@admin.register(JournalEntry)
class JournalEntryAdmin(BackOfficeAdmin):
    """Read only; entries are posted by what happened to their documents."""

    list_display = ("booked_on", "memo", "customer", "amount", "key")
    list_filter = ("currency",)
    list_select_related = ("customer",)
    search_fields = ("key", "memo", "customer__code")
    date_hierarchy = "booked_on"
    ordering = ("-booked_on", "-id")
    fields = ("memo", "key", "customer", "currency", "booked_on", "posted_at")
    readonly_fields = fields
    inlines: ClassVar[list[type[BackOfficeInline]]] = [PostingInline]
    change_list_template = "ledger/journal.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        return super().get_queryset(request).annotate(debits=Sum("postings__debit"))

    @display(description="Amount")
    def amount(self, entry: Any) -> str:
        return f"{_side(entry.debits, currency=entry.currency)} {entry.currency}"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("trial-balance/", self.admin_site.admin_view(self.show_balance), name="ledger_trial_balance"),
            path("export/", self.admin_site.admin_view(self.export_days), name="ledger_export"),
        ]
        return [*own, *super().get_urls()]

    def show_balance(self, request: HttpRequest) -> HttpResponse:
        """Every account in every currency: before, moved, after."""
        self._require_reader(request)
        form = DaysForm.over(request.GET, today=timezone.localdate())
        rows = queries.trial_balance(start=form.start, end=form.end) if form.is_valid() else []
        context = {
            **self.admin_site.each_context(request),
            "title": "Trial balance",
            "opts": self.opts,
            "form": form,
            "currencies": list(_by_currency(rows)),
        }
        return TemplateResponse(request, "ledger/trial_balance.html", context)

    def export_days(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The postings of the days as CSV."""
        self._require_reader(request)
        form = DaysForm.over(request.GET, today=timezone.localdate())
        if not form.is_valid():
            return self.show_balance(request)
        lines = export.as_csv(queries.booked_lines(start=form.start, end=form.end))
        name = f"journal-{form.chosen}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def _require_reader(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _by_currency(rows: list[BalanceRow]) -> Iterator[dict[str, Any]]:
    """The rows of each currency as text, and the sums of both sides, which are equal."""
    for currency, own in groupby(rows, key=lambda row: row.currency):
        here = list(own)
        yield {
            "currency": currency,
            "rows": [_texts(row) for row in here],
            "debit": _side(sum(row.debit for row in here), currency=currency),
            "credit": _side(sum(row.credit for row in here), currency=currency),
        }


def _texts(row: BalanceRow) -> dict[str, str]:
    figures = {"opening": row.opening, "debit": row.debit, "credit": row.credit, "closing": row.closing}
    texts = {name: f"{money.round_amount(figure, currency=row.currency):,f}" for name, figure in figures.items()}
    return {"account": chart.title_of(row.account), "kind": chart.KINDS[chart.Account(row.account)].value, **texts}


def _side(amount: Any, *, currency: str) -> str:
    return f"{money.round_amount(amount, currency=currency):,f}" if amount else ""
