"""What each decision on an invoice asks for before it is made."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from invoicing.cycle.models import Invoice

REASON_LENGTH_MIN = 5


class ReasonForm(BaseDialogForm):
    """A reason that a colleague will understand a year from now."""

    reason = forms.CharField(
        label="Reason",
        min_length=REASON_LENGTH_MIN,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the history of this invoice.",
    )


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class ApproveForm(BaseDialogForm):
    """Approves exactly the figures that stand on the page: their hash travels with the click."""

    content_hash = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invoice = Invoice.objects.filter(pk=self.object_id).first()
        if invoice is not None:
            self.fields["content_hash"].initial = invoice.content_hash
