"""Payments: the list, the page of one with its steps, and recording one here or on the page of its invoice."""

from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_in_dialog
from accounts.roles import Role
from core import money
from core.errors import DomainError
from invoicing.cycle.models import Invoice
from invoicing.payments import queries, record
from invoicing.payments.admin.actions import PaymentActions
from invoicing.payments.admin.forms import PaymentFields, RecordForm
from invoicing.payments.models import Payment

TONES = {"pending": "info", "settled": "success", "errored": "warning", "chargeback": "danger", "refunded": "none"}
RECORD: Any = {
    "title": "Record a payment",
    "description": "It stays as you record it; what becomes of it later is recorded as a step.",
    "form_class": RecordForm,
    "form_submit_text": "Record",
}


@admin.register(Payment)
class PaymentAdmin(PaymentActions, BackOfficeAdmin):
    """Nothing is edited: a payment is recorded once, and every change is a step."""

    list_display = ("name", "customer", "amount_label", "status_label", "method", "gateway_label", "recorded")
    list_filter = ("status", "method", "gateway", "currency")
    list_filter_submit = False
    list_select_related = ("invoice__customer",)
    search_fields = ("invoice__number", "invoice__customer__code", "gateway_id", "objects_known__external_id")
    fields: ClassVar[list[str]] = []
    change_form_template = "payments/payment.html"
    actions_list: ClassVar[list[str]] = ["record_new"]
    actions_detail: ClassVar[list[str]] = [
        "settle",
        "confirm_refund",
        "fail",
        "give_back",
        "charge_back",
        "win",
        "lose",
        "withdraw_refund",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return queries.whole_payments()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.record_on_invoice)
        return [path("of-invoice/<int:invoice_id>/", view, name="payments_payment_of_invoice"), *super().get_urls()]

    def record_on_invoice(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """What the form on the page of an invoice sends."""
        if request.method != "POST" or not roles.has_role(request.user, [Role.FINANCE]):
            raise PermissionDenied
        invoice = get_object_or_404(Invoice.objects.select_related("seller"), pk=invoice_id)
        form = PaymentFields(request.POST)
        try:
            if form.is_valid():
                record.record_payment(**form.arguments(invoice), actor=request.user, at=timezone.now())
                messages.success(request, "The payment is recorded.")
            for name, errors in form.errors.items():
                messages.error(
                    request, f"Nothing was recorded. {form.fields[name].label}: {' '.join(map(str, errors))}"
                )
        except DomainError as error:
            messages.error(request, f"Nothing was recorded. {error.message}")
        return redirect(reverse("admin:cycle_invoice_change", args=[invoice_id]) + "#payments")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        payment = self.get_object(request, object_id)
        context = {} if payment is None else {**page_context(payment), "show_history": False}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Record a payment",
        permissions=["record"],
        variant=ActionVariant.PRIMARY,
        icon="add",
        dialog=RECORD,
    )
    def record_new(self, request: HttpRequest, form: RecordForm) -> HttpResponse:
        invoice = form.cleaned_data["number"]
        return answer_in_dialog(
            request,
            form,
            dialog=RECORD,
            call=lambda: record.record_payment(**form.arguments(invoice), actor=request.user, at=timezone.now()),
            success="The payment is recorded.",
            back_to=lambda made: reverse("admin:payments_payment_change", args=[made.pk]),
        )

    @display(description="Payment of", header=True)
    def name(self, payment: Payment) -> list[str]:
        return [str(payment.invoice), f"payment {payment.pk}"]

    @display(description="Customer", ordering="invoice__customer__code")
    def customer(self, payment: Payment) -> str:
        return str(payment.invoice.customer)

    @display(description="Amount", ordering="amount")
    def amount_label(self, payment: Payment) -> str:
        return format_html('<span class="bo-money">{}</span>', text_of(payment.amount, payment))

    @display(description="Status", label=TONES, ordering="status")
    def status_label(self, payment: Payment) -> tuple[str, str]:
        return payment.status, payment.get_status_display()

    @display(description="Told by")
    def gateway_label(self, payment: Payment) -> str:
        return payment.get_gateway_display() if payment.gateway else str(payment.created_by)

    @display(description="Recorded (UTC)", ordering="created_at")
    def recorded(self, payment: Payment) -> str:
        return f"{payment.created_at:%d %b %Y %H:%M}"


def page_context(payment: Payment) -> dict[str, Any]:
    """The payment, its steps from the last to the first, and what the invoice still asks for."""
    due = queries.due_of(payment.invoice)
    figures = [("Received", payment.received), ("Refunded", payment.refunded), ("In dispute", payment.contested)]
    return {
        "payment": payment,
        "tone": TONES[payment.status],
        "amount": text_of(payment.amount, payment),
        "figures": [
            (label, text_of(figure, payment)) for label, figure in [*figures, ("Lost", payment.lost)] if figure
        ],
        "due": text_of(due.due, payment),
        "is_due": due.due > 0,
        "steps": [_step(move, payment) for move in reversed(payment.transitions.all())],
        "requests": [(one, text_of(one.amount, payment)) for one in payment.refund_requests.all()],
    }


def _step(move: Any, payment: Payment) -> dict[str, Any]:
    too_much = getattr(move, "overpayment", None)
    return {
        "move": move,
        "tone": {"failed": "bad", "disputed": "bad", "dispute_lost": "bad"}.get(move.step, "good"),
        "amount": text_of(move.amount, payment) if move.amount else "",
        "fee": text_of(move.fee, payment) if move.fee else "",
        "too_much": "" if too_much is None else text_of(too_much.amount, payment),
        "day": move.happened_at.astimezone(ZoneInfo(payment.invoice.seller.time_zone)).date(),
        "who": move.actor or f"{payment.get_gateway_display()} {move.event.event_id}",
    }


def text_of(amount: Decimal, payment: Payment) -> str:
    """1,250.00 EUR."""
    return f"{money.round_amount(amount, currency=payment.currency):,f} {payment.currency}"
