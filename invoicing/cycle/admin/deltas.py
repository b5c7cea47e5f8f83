"""Delta reports at the desk: what changes of what was billed, line by line, and the decision on it."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from core import money
from invoicing.cycle import delta_decide, delta_events
from invoicing.cycle.admin import wording
from invoicing.cycle.admin.forms import ReasonForm
from invoicing.cycle.admin.wording import LOCALE
from invoicing.cycle.models import DeltaReport, DeltaRow
from invoicing.documents.rules import figures

TONES = {"proposed": "warning", "approved": "success", "rejected": "danger", "noted": "none"}


class ApproveReportForm(ReasonForm):
    """Approves exactly the rows that stand on the page: their hash travels with the click."""

    content_hash = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        report = DeltaReport.objects.filter(pk=self.object_id).first()
        if report is not None:
            self.fields["content_hash"].initial = report.content_hash


@admin.register(DeltaReport)
class DeltaReportAdmin(BackOfficeAdmin):
    """Read only; finance approves or rejects, with a reason."""

    list_display = ("name", "customer", "kind", "status_label", "line_count", "difference", "proposed_at", "asked_by")
    list_filter: ClassVar[list[str]] = ["status", "kind"]
    search_fields = ("invoice__customer__code", "invoice__customer__legal_name", "invoice__number")
    list_select_related = ("invoice__customer", "author")
    fields: ClassVar[list[str]] = []
    change_form_template = "cycle/delta_report.html"
    actions_detail: ClassVar[list[str]] = ["approve_report", "reject_report"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeltaReport]:
        changed = Sum(F("rows__after_amount") - F("rows__before_amount"))
        return (
            super()
            .get_queryset(request)
            .annotate(lines=Count("rows"), changed=changed)
            .prefetch_related("rows__customer")
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        context = {} if report is None else page_context(report)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="Report", ordering="id")
    def name(self, report: DeltaReport) -> str:
        return str(report)

    @display(description="Customer", ordering="invoice__customer__code")
    def customer(self, report: DeltaReport) -> str:
        if report.invoice is not None:
            return str(report.invoice.customer)
        names = sorted({str(row.customer) for row in report.rows.all()})  # a backfill may concern many
        return names[0] if len(names) == 1 else "—"

    @display(description="Status", label=TONES, ordering="status")
    def status_label(self, report: DeltaReport) -> tuple[str, str]:
        return report.status, report.get_status_display()

    @display(description="Lines")
    def line_count(self, report: Any) -> int:
        return int(report.lines)

    @display(description="Difference, net")
    def difference(self, report: Any) -> str:
        if report.invoice is None:
            return "No amount changes" if report.kind == DeltaReport.Kind.UNCHANGED else "—"
        text = signed(report.changed or Decimal(0), currency=report.invoice.currency)
        return format_html('<span class="bo-money">{} {}</span>', text, report.invoice.currency)

    @display(description="Asked for by")
    def asked_by(self, report: DeltaReport) -> str:
        return "Usage itself" if report.author is None else str(report.author)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not roles.has_role(request.user, [Role.FINANCE]):
            return False
        text = str(object_id)
        waiting = DeltaReport.objects.filter(status=DeltaReport.Status.PROPOSED)
        return text.isdecimal() and waiting.filter(pk=int(text)).exclude(author=request.user.pk).exists()

    @action(
        description="Approve these changes",
        permissions=["decide"],
        variant=ActionVariant.PRIMARY,
        icon="check_circle",
        dialog={
            "title": "Approve these changes",
            "description": "You allow exactly the changes on this page. Their draft is approved by itself, after that.",
            "form_class": ApproveReportForm,
            "form_submit_text": "Approve",
        },
    )
    def approve_report(self, request: HttpRequest, form: ApproveReportForm, object_id: str) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("reason", "content_hash")}
        return answer_dialog(
            request,
            call=lambda: delta_decide.approve_report(
                report_id=int(object_id), **given, actor=request.user, at=timezone.now()
            ),
            success="Approved. The draft that carries these changes can be approved now.",
            back_to=reverse("admin:cycle_deltareport_change", args=[object_id]),
        )

    @action(
        description="Reject",
        permissions=["decide"],
        icon="block",
        dialog={
            "title": "Reject these changes",
            "description": "Their draft is discarded with your reason, and the next one is made without them.",
            "form_class": ReasonForm,
            "form_submit_text": "Reject",
        },
    )
    def reject_report(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return answer_dialog(
            request,
            call=lambda: delta_decide.reject_report(
                report_id=int(object_id), reason=reason, actor=request.user, at=timezone.now()
            ),
            success="Rejected. Its draft is discarded.",
            back_to=reverse("admin:cycle_deltareport_change", args=[object_id]),
        )


def page_context(report: DeltaReport) -> dict[str, Any]:
    """Every row before and after, why, and the events that caused it."""
    rows = list(
        report.rows.select_related(
            "customer",
            "line__rated_line__snapshot__watermark",
            "counted__watermark",
            "corrects__invoice",
            "corrects__rated_line__snapshot__watermark",
        )
    )
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.after_amount - row.before_amount
    return {
        "report": report,
        "tone": TONES[report.status],
        "rows": [_row(row) for row in rows],
        "sums": [(currency, signed(amount, currency=currency)) for currency, amount in sorted(sums.items())],
    }


def _row(row: DeltaRow) -> dict[str, Any]:
    zone = row.customer.time_zone
    return {
        "row": row,
        "segment": figures.span_text(row.segment_start, row.segment_end, zone=zone, locale=LOCALE),
        "before": _side(row.before_quantity, row.before_amount, row.before_events, currency=row.currency),
        "after": _side(row.after_quantity, row.after_amount, row.after_events, currency=row.currency),
        "difference": signed(row.after_amount - row.before_amount, currency=row.currency),
        "events": delta_events.causing_events(row),
        "trace_url": reverse("admin:evidence_trace", args=[row.line.pk]) if row.line else "",
    }


def _side(quantity: Decimal, amount: Decimal, events: int | None, *, currency: str) -> dict[str, str]:
    return {
        "quantity": figures.number_text(quantity, locale=LOCALE),
        "amount": wording.amount_text(amount, currency=currency),
        "events": "" if events is None else figures.number_text(Decimal(events), locale=LOCALE),
    }


def signed(amount: Decimal, *, currency: str) -> str:
    """A difference shows which way it goes."""
    text = wording.amount_text(money.round_amount(amount, currency=currency), currency=currency)
    return f"+{text}" if amount > 0 else text
