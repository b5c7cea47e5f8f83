"""What each dialog asks for."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import validators
from accounts.models import Customer
from compliance.payouts.admin.base import row_id
from compliance.payouts.models import Payee
from compliance.payouts.models.payees import GATE_KINDS, PAYEE_KINDS


def line(label: str, *, length: int, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, widget=UnfoldAdminTextInputWidget(), **options)


def text(label: str, *, length: int, rows: int = 3, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}), **options
    )


def day(label: str, **options: Any) -> forms.DateField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget, **options)


class VerdictForm(BaseDialogForm):
    """Why, and what was looked at."""

    reason = text("Reason", length=2000, help_text="A colleague should understand it a year from now.")
    evidence = text(
        "Evidence", length=5000, rows=2, required=False, help_text="Register, list or correspondence that you rely on."
    )


class ApprovalForm(BaseDialogForm):
    """Why, what was looked at, and how long it holds."""

    reason = text("Reason", length=2000, help_text="A colleague should understand it a year from now.")
    evidence = text(
        "Evidence",
        length=5000,
        rows=2,
        required=False,
        help_text="What you looked at. May stay empty where a document is stored on this gate.",
    )
    last_day = day("Holds through", help_text="The last day (UTC) on which money may move. Empty: it has no end.")

    def expires_at(self) -> datetime | None:
        """The midnight after the last day."""
        last: date | None = self.cleaned_data["last_day"]
        return None if last is None else datetime.combine(last + timedelta(days=1), time.min, tzinfo=UTC)


class ReasonForm(BaseDialogForm):
    """Why."""

    reason = text("Reason", length=2000, help_text="Kept for ever.")


class PayeeForm(BaseDialogForm):
    """A new payee; after this only the contact details can change."""

    code = line("Code", length=60, validators=[validators.CODE])
    legal_name = line("Legal name", length=200, help_text="As on the papers: the gates are passed in this name.")
    kind = forms.ChoiceField(label="Kind", choices=PAYEE_KINDS, widget=UnfoldAdminSelectWidget())
    program = line("Program", length=60, validators=[validators.CODE])
    market = line("Market", length=60, validators=[validators.CODE])
    country = line("Country", length=2, validators=[validators.check_country], help_text="Such as DE.")
    email = forms.EmailField(label="E-mail", required=False, widget=UnfoldAdminTextInputWidget())


class ContactForm(BaseDialogForm):
    """What may change about a payee."""

    email = forms.EmailField(label="E-mail", required=False, widget=UnfoldAdminTextInputWidget())
    customer = forms.ModelChoiceField(
        Customer.objects.all(), required=False, empty_label="Not a customer", widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payee = Payee.objects.filter(pk=row_id(self.object_id)).first()
        if payee is not None:
            self.initial = {"email": payee.email, "customer": payee.customer_id}


class RequirementForm(BaseDialogForm):
    """The next version of the gates that a program asks for."""

    program = line("Program", length=60, validators=[validators.CODE])
    market = line("Market", length=60, validators=[validators.CODE])
    payee_kind = forms.ChoiceField(label="For", choices=PAYEE_KINDS, widget=UnfoldAdminSelectWidget())
    gates = forms.MultipleChoiceField(
        label="Gates",
        choices=GATE_KINDS,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="All must be open.",
    )
    first_day = day("In force from", help_text="The day on which it begins (00:00 UTC). Empty: at once.")
    reason = text("Reason", length=2000)

    def effective_at(self) -> datetime | None:
        first: date | None = self.cleaned_data["first_day"]
        return None if first is None else datetime.combine(first, time.min, tzinfo=UTC)


class PayableForm(BaseDialogForm):
    """A debt to a payee."""

    payee = forms.ModelChoiceField(
        Payee.objects.all(), to_field_name="code", widget=UnfoldAdminTextInputWidget(), help_text="The payee's code."
    )
    reference = line("Reference", length=120, help_text="What is paid; once for each payee.")
    amount = forms.DecimalField(max_digits=20, decimal_places=4, widget=UnfoldAdminTextInputWidget())
    currency = line("Currency", length=3, validators=[validators.check_currency], help_text="Such as EUR.")
