"""What finance is asked when it records a payment, or what became of one."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from invoicing.cycle.models import Invoice
from invoicing.payments import queries
from invoicing.payments.models import Payment


def amount_line(label: str, **options: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=20, decimal_places=4, widget=UnfoldAdminTextInputWidget(), **options
    )


def day_line(label: str, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), **options)


def reason_line() -> forms.CharField:
    return forms.CharField(
        label="Reason",
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept under the customer's key.",
    )


def began(on: date, *, invoice: Invoice) -> datetime:
    """The day in the seller's zone, so that it is that day in the books."""
    return datetime.combine(on, time.min, tzinfo=ZoneInfo(invoice.seller.time_zone))


class PaymentFields(forms.Form):
    """Money that came in for an invoice."""

    amount = amount_line("Amount")
    method = forms.ChoiceField(label="Method", choices=Payment.Method.choices, widget=UnfoldAdminSelectWidget())
    reference = forms.CharField(
        label="Reference",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="As the statement names it; recorded once per invoice.",
    )
    fee = amount_line("Fee", required=False, help_text="What was kept of it, as the statement says. Empty: none.")
    received_on = day_line("Received on", required=False, help_text="Empty: it is on its way.")

    def arguments(self, invoice: Invoice) -> dict[str, Any]:
        """For the stage."""
        given, on = self.cleaned_data, self.cleaned_data["received_on"]
        return {
            "invoice": invoice.number,
            "currency": invoice.currency,
            "amount": given["amount"],
            "method": given["method"],
            "reference": given["reference"],
            "fee": given["fee"] or Decimal(0),
            "received_at": None if on is None else began(on, invoice=invoice),
        }


class RecordForm(PaymentFields, BaseDialogForm):
    """The same for an invoice that is named."""

    number = forms.CharField(label="Invoice number", max_length=60, widget=UnfoldAdminTextInputWidget())
    field_order = ("number", "amount", "method", "reference", "fee", "received_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        searched = parse_qs(urlsplit(self.request.headers.get("HX-Current-URL", "")).query).get("q", [""])[0]
        found = Invoice.objects.filter(number=searched.strip(), status=Invoice.Status.FINAL).first()
        if found is not None:  # whoever came from the page of an invoice
            self.initial = {"number": found.number, "amount": f"{queries.due_of(found).due:.2f}"}
        self.fields["received_on"].initial = timezone.localdate()

    def clean_number(self) -> Invoice:
        number = self.cleaned_data["number"].strip()
        found = Invoice.objects.select_related("seller").filter(number=number, status=Invoice.Status.FINAL).first()
        if found is None:
            raise forms.ValidationError("There is no issued invoice with this number.")
        return found


class StepForm(BaseDialogForm):
    """When it happened, and why it is recorded."""

    happened_on = day_line("Happened on")
    reason = reason_line()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["happened_on"].initial = timezone.localdate()

    def arguments(self, payment: Payment) -> dict[str, Any]:
        """For the stage."""
        given = self.cleaned_data
        told = {name: given[name] for name in ("amount", "fee") if given.get(name) is not None}
        at = began(given["happened_on"], invoice=payment.invoice)
        return {**told, "reason": given["reason"], "happened_at": at}


class FeeForm(StepForm):
    """The same with what was kept for it."""

    fee = amount_line("Fee", required=False, help_text="As the statement says. Empty: none.")
    field_order: Sequence[str] = ("happened_on", "fee", "reason")


class AmountForm(FeeForm):
    """The same about an amount."""

    amount = amount_line("Amount", required=False, help_text="Empty: all that can be.")
    field_order: Sequence[str] = ("amount", "fee", "happened_on", "reason")


class NothingForm(BaseDialogForm):
    """Asks nothing but to be sure."""
