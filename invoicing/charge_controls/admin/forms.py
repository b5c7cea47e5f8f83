"""What the dialogs of charge controls ask for."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import Customer
from core import money

REASON_LENGTH_MIN = 5


class ReasonForm(BaseDialogForm):
    """Why, for whoever reads this in a year."""

    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class LimitForm(BaseDialogForm):
    """A limit for one customer in one currency; no amount is the policy's own again."""

    customer = forms.ModelChoiceField(Customer.objects.none(), to_field_name="code", widget=UnfoldAdminSelectWidget)
    currency = forms.CharField(max_length=3, min_length=3, widget=UnfoldAdminTextInputWidget, help_text="Such as EUR.")
    amount = forms.CharField(
        max_length=40, required=False, widget=UnfoldAdminTextInputWidget, help_text="Empty: the policy's own again."
    )
    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["customer"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  as declared above
        field.queryset = Customer.objects.order_by("code")

    def clean_amount(self) -> Any:
        text = self.cleaned_data["amount"].strip()
        if not text:
            return None
        try:
            return money.parse_decimal(text)
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from error
