"""What the portal asks for."""

from typing import Any

from django import forms

from compliance.disputes import talk
from compliance.disputes.models import Dispute
from invoicing.cycle.models import Invoice


class OpenForm(forms.Form):
    """Which line of an invoice, and why."""

    position = forms.TypedChoiceField(label="What is it about?", required=False, coerce=int, empty_value=None)
    reason = forms.ChoiceField(label="What is wrong?", choices=Dispute.Reason.choices)
    text = forms.CharField(
        label="Tell us what you expected, and why",
        max_length=talk.LENGTH_MAX,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = invoice.lines.order_by("position").values_list("position", "description")
        field: Any = self.fields["position"]
        field.choices = [("", "The whole invoice"), *((one, f"Line {one}: {what}") for one, what in lines)]


class MessageForm(forms.Form):
    """Something to add."""

    text = forms.CharField(label="Write to us", max_length=talk.LENGTH_MAX, widget=forms.Textarea(attrs={"rows": 4}))
